/** What a process prints that ends by an error nobody has caught: it begins as under `node:net`. */
import t from 'tap';
import { load, run } from '../support/child';

const cases: Record<string, string> = {
  'a refused connect': 'server.close(() => net.connect(port, host));',
  'refused connects to all of several addresses': `server.close(() => net.connect({
    port, host: 'several', lookup: (_host, _options, found) =>
      found(null, [{ address: host, family: 4 }, { address: '127.0.0.2', family: 4 }]),
  }));`,
  'a listener that destroys with an error':
    "const socket = net.connect(port, host, () => socket.destroy(new Error('on purpose')));",
  'an address in use': 'net.createServer().listen(port, host);',
  'a listener that emits':
    "net.connect(port, host, function () { this.emit('error', new Error('on purpose')); });",
};

const program = (net: string, body: string): string => `
  ${net}
  const host = '127.0.0.1';
  const server = net.createServer((socket) => socket.on('error', () => {}));
  server.listen(0, host, () => {
    const { port } = server.address();
    ${body}
  });`;

/** Up to the error's message, without the port. */
const beginOf = (report: string): string[] =>
  report
    .replace(/:\d{4,5}\b/g, ':port')
    .split('\n')
    .slice(0, 5);

for (const [name, body] of Object.entries(cases)) {
  t.test(name, async (test) => {
    const expected = await run(program("const net = require('node:net');", body));
    const actual = await run(program(load('net'), body));
    test.strictSame(
      [actual.code, beginOf(actual.stderr)],
      [expected.code, beginOf(expected.stderr)],
    );
    test.match(actual.stderr, /throw er; \/\/ Unhandled 'error' event/);
  });
}

t.test('who watches for errors sees them as they are', async (test) => {
  const body = `
    process.on('uncaughtExceptionMonitor', ({ stack }) => console.log(stack.split('\\n')[0]));
    const socket = net.connect(port, host, () => socket.destroy(new Error('on purpose')));`;
  const { stdout } = await run(program(load('net'), body));
  test.equal(stdout.trim(), 'Error: on purpose');
});

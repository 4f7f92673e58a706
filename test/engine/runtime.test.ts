/**
 * In a runtime that is not Node, or that lacks what we need of it, `node:net` serves, with one
 * warning. Bun and Deno themselves are tried by hand.
 */
import t from 'tap';
import { load, run } from '../support/child';

const echo = `
process.on('warning', ({ code, message }) => console.log(code, message));
${load('net')} ${load('engine')}
const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1');
  client.on('data', (chunk) => console.log(String(chunk)));
  client.on('close', () => server.close(() => console.log(engine.engine.backend)));
  client.end('echoed');
});`;

const claims = (name: string): string =>
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, ${name}: '1.2.3' } });`;

const warning = (reason: string): string =>
  `IOCP_NET_FALLBACK iocp-net runs on node:net, because ${reason}`;

const cases = {
  Bun: [claims('bun'), warning('this is Bun 1.2.3, not Node')],
  Deno: [claims('deno'), warning('this is Deno 1.2.3, not Node')],
  'a net.Socket that is a class': [
    `const its = require('node:net');
     its.Socket = class Socket extends its.Socket {};`,
    warning(
      'this runtime has not a net.Socket that is a function and fills the object that it is called on, as Node has',
    ),
  ],
} as const;

for (const [name, [prelude, warned]] of Object.entries(cases)) {
  t.test(name, async (test) => {
    const env = { IOCP_NET_BACKEND: '' };
    const { stdout, code } = await run(`{ ${prelude} } ${echo}`, 15_000, { env });
    const lines = stdout.trim().split('\n');
    test.strictSame(lines.sort(), [warned, 'echoed', 'node'].sort());
    test.equal(code, 0);
  });
}

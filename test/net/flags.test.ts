/** Echo and HTTP under the options of Node that change the language or what it warns of. */
import t from 'tap';
import { load, run } from '../support/child';

const flags = [
  ['--frozen-intrinsics'],
  ['--disable-proto=delete'],
  ['--disable-proto=throw'],
  ['--throw-deprecation'],
  ['--trace-warnings'],
  ['--disallow-code-generation-from-strings'],
  ['--stack-trace-limit=0'],
  ['--force-async-hooks-checks'],
  ['--unhandled-rejections=strict'],
  ['--no-network-family-autoselection'],
  ['--zero-fill-buffers'],
  ['--no-experimental-require-module'],
  ['--no-async-context-frame'],
  ['--jitless'],
];

/** Uses `net` and `http`. */
const program = `
  const say = (what) => process.stdout.write(String(what).replace(/:\\d+/g, '') + '\\n');
  const firstLine = ({ stack }) => String(stack).split('\\n', 1)[0];
  const server = net.createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const socket = net.connect(port, '127.0.0.1');
    socket.on('data', say).on('close', () => server.close(() => refused(port)));
    socket.end('echoed');
  });
  const refused = (port) => net.connect(port, '127.0.0.1').on('error', (error) => {
    say(firstLine(error));
    const never = new net.Socket().on('error', (error) => say(firstLine(error)));
    never.write('x');
    never.destroy();
    serve();
  });
  const serve = () => {
    const server = http.createServer((request, response) => response.end(request.url));
    server.listen(0, () => {
      const { port } = server.address();
      http.get({ port, path: '/answered' }, (response) => {
        response.setEncoding('utf8').on('data', say).on('end', () => server.close());
      });
    });
  };`;

const onNode = "const net = require('node:net');\nconst http = require('node:http');\n";
const onOurs = load('net') + load('http');

const badOption = 9;

/** Without what differs from run to run. */
const withoutPid = (text: string): string => text.replace(/\(node:\d+\)/g, '(node)');

// Each starts processes; a busy machine takes its time.
t.setTimeout(120_000);

for (const execArgv of flags) {
  t.test(execArgv.join(' '), async (test) => {
    const [expected, actual] = await Promise.all(
      [onNode, onOurs].map((loads) => run(loads + program, 20_000, { execArgv })),
    );
    if (expected?.code === badOption) {
      test.pass('this Node does not know it');
      return;
    }
    test.equal(actual?.stdout, expected?.stdout);
    test.equal(withoutPid(String(actual?.stderr)), withoutPid(String(expected?.stderr)));
    test.strictSame([actual?.code, actual?.signal], [0, null]);
    test.match(actual?.stdout, '/answered');
  });
}

t.test('--no-addons: node:net serves, and says why', async (test) => {
  const execArgv = ['--no-addons'];
  const { stdout, stderr, code } = await run(onOurs + program, 20_000, { execArgv });
  test.match(stdout, '/answered');
  test.equal(stderr.split('IOCP_NET_FALLBACK').length, 2);
  test.equal(code, 0);
});

const hardenings = {
  'Error is frozen': 'Object.freeze(Error);',
  'Error.stackTraceLimit is read-only':
    "Object.defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false });",
  'Error.stackTraceLimit is gone': 'delete Error.stackTraceLimit;',
};

for (const [name, harden] of Object.entries(hardenings)) {
  t.test(name, async (test) => {
    const { stdout, stderr } = await run(`'use strict';\n${onOurs}${harden}\n${program}`);
    test.equal(stderr, '');
    test.match(stdout, '/answered');
  });
}

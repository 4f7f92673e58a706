/** Which core runs, how it is set up, and that `node:net` serves where none can. */
import t from 'tap';
import { run } from '../support/child';

const engineEntry = JSON.stringify(require.resolve('iocp-net/engine'));
const netEntry = JSON.stringify(require.resolve('iocp-net'));
const windows = process.platform === 'win32';
/** What this system offers; the first that can be used serves. */
const candidates = windows ? ['iocp'] : ['epoll', 'io_uring'];
const foreign = windows ? 'io_uring' : 'iocp';

/** An echo through the package; prints what served, as JSON. */
const echo = `
const net = require(${netEntry});
const { engine } = require(${engineEntry});
const warnings = [];
process.on('warning', ({ code, message }) => warnings.push({ code, message }));
class Mine extends net.Socket {}
const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
  const client = new Mine();
  client.connect(server.address().port, '127.0.0.1');
  let text = '';
  client.on('data', (chunk) => (text += chunk));
  client.on('close', () => server.close(() => {
    const { accept } = engine.stats().operations;
    console.log(JSON.stringify({
      text, warnings, backend: engine.backend, accepted: accept ? accept.completed : 0,
      instances: [client instanceof net.Socket, server instanceof net.Server],
    }));
  }));
  client.end('over');
});
`;

interface Report {
  text: string;
  warnings: { code: string; message: string }[];
  backend: string;
  accepted: number;
  instances: boolean[];
}

async function report(backend: string): Promise<Report> {
  const set = `process.env.IOCP_NET_BACKEND = ${JSON.stringify(backend)};`;
  const { stdout, stderr } = await run(set + echo);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Report;
}

t.test('the core serves unless told otherwise', async (test) => {
  for (const backend of ['', ...candidates]) {
    const { text, warnings, ...served } = await report(backend);
    test.equal(text, 'over');
    test.strictSame(warnings, []);
    test.strictSame(served, {
      backend: backend || candidates[0],
      accepted: 1,
      instances: [true, true],
    });
  }
});

t.test("IOCP_NET_BACKEND=node: node:net serves, and that is nobody's mistake", async (test) => {
  const { text, warnings, ...served } = await report('node');
  test.equal(text, 'over');
  test.strictSame(warnings, []);
  test.strictSame(served, { backend: 'node', accepted: 0, instances: [true, true] });
});

t.test('no usable backend: node:net serves and one warning says why', async (test) => {
  const { text, warnings, backend } = await report(foreign);
  test.equal(text, 'over');
  test.equal(backend, 'node');
  test.equal(warnings.length, 1);
  test.equal(warnings[0]?.code, 'IOCP_NET_FALLBACK');
  test.match(warnings[0]?.message, new RegExp(`${foreign} does not exist on ${process.platform}`));
});

t.test('a backend nobody knows is refused', async (test) => {
  const { code, stderr } = await run(`process.env.IOCP_NET_BACKEND = 'kqueue';${echo}`);
  test.equal(code, 1);
  test.match(stderr, /ERR_INVALID_ARG_VALUE/);
});

const configured = (options: string, then = ''): string => `
const { engine } = require(${engineEntry});
try {
  engine.configure(${options});
  ${then}
  console.log('ok', engine.backend, engine.stats().ports.length);
} catch (error) {
  console.log(error.name, error.code);
}`;

t.test('configure: what is wrong is said, what is right is done', async (test) => {
  const bad = [
    '{ ports: 0 }',
    '{ ports: 1.5 }',
    "{ ports: '2' }",
    "{ affinity: 'all' }",
    '{ affinity: [-1] }',
    '{ receiveBytes: 1 }',
    '{ sendBytes: Infinity }',
    '{ linger: -1 }',
  ];
  for (const options of bad) {
    test.equal(
      (await run(configured(options))).stdout,
      'RangeError ERR_INVALID_ARG_VALUE\n',
      options,
    );
  }
  test.equal((await run(configured('null'))).stdout, 'TypeError ERR_INVALID_ARG_TYPE\n');
  const late = configured('{}', 'engine.backend; engine.configure({});');
  test.equal((await run(late)).stdout, 'Error ERR_INVALID_STATE\n');
  const good =
    "{ ports: 3, affinity: 'auto', receiveBytes: 1 << 20, sendBytes: 1 << 18, linger: 0 }";
  test.equal((await run(configured(good))).stdout, `ok ${candidates[0]} 3\n`);
});

t.test('importing opens nothing', async (test) => {
  const program = `
    require(${netEntry});
    const { engine } = require(${engineEntry});
    console.log(engine.stats().ports.length);`;
  test.equal((await run(program)).stdout, '0\n');
});

/** What is told of the engine and of who drives, and what NODE_DEBUG=iocp-net prints. */
import t from 'tap';
import { load, run } from '../support/child';

const windows = process.platform === 'win32';
const first = windows ? 'iocp' : 'epoll';
const foreign = windows ? 'epoll' : 'iocp';

interface Told {
  name: string;
  [member: string]: unknown;
}

/** Prints in the end what came on these channels, in order. */
const follow = `
const { subscribe } = require('node:diagnostics_channel');
const told = [];
for (const name of ['engine', 'fallback', 'drive']) {
  subscribe('iocp-net:' + name, (message) => told.push({ name, ...message }));
}
process.on('exit', () => console.log(JSON.stringify(told)));
`;

async function toldBy(program: string, env: NodeJS.ProcessEnv = {}): Promise<Told[]> {
  const { stdout, stderr } = await run(follow + load('net') + program, 15_000, { env });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Told[];
}

const only = (told: Told[], ...names: string[]): Told[] =>
  told.filter(({ name }) => names.includes(name));

const echo = `
const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', () => client.end('four'));
  client.resume().on('close', () => server.close());
});`;

t.test('the engine tells once what it has opened, and why', async (test) => {
  const opened = {
    name: 'engine',
    backend: first,
    refusals: [],
    ports: 1,
    driver: 'loop',
    drivers: ['loop'],
  };
  test.strictSame(only(await toldBy(echo, { IOCP_NET_BACKEND: '' }), 'engine', 'fallback'), [
    { ...opened, requested: null },
  ]);
  test.strictSame(only(await toldBy(echo, { IOCP_NET_BACKEND: first }), 'engine'), [
    { ...opened, requested: first },
  ]);
  const threads = `${load('engine')}engine.engine.configure({ ports: 2 });${echo}`;
  test.strictSame(only(await toldBy(threads, { IOCP_NET_BACKEND: '' }), 'engine'), [
    { ...opened, requested: null, ports: 2, driver: 'thread', drivers: ['thread', 'thread'] },
  ]);
});

t.test('a fallback says why, also where it is asked for', async (test) => {
  const [failed, ...others] = await toldBy(echo, { IOCP_NET_BACKEND: foreign });
  test.strictSame(others, []);
  test.match(failed, { name: 'fallback', requested: false, reason: /does not exist on/ });
  const [asked] = await toldBy(echo, { IOCP_NET_BACKEND: 'node' });
  test.match(asked, { name: 'fallback', requested: true, reason: /IOCP_NET_BACKEND=node/ });
});

/** JavaScript is away for longer than the helper waits, while something arrives. */
const away = `
const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', () => client.write('x'));
  let rounds = 0;
  client.on('data', () => {
    if (++rounds === 20) return client.destroy();
    client.write('x');
    const until = Date.now() + 30;
    while (Date.now() < until);
  });
  client.on('close', () => server.close());
});`;

t.test('who drives: the helper, while JavaScript is away', async (test) => {
  const helped = only(await toldBy(away, { IOCP_NET_BACKEND: '' }), 'drive');
  const turns = helped.reduce((sum, each) => sum + Number(each['helperTurns']), 0);
  const milliseconds = helped.reduce((sum, each) => sum + Number(each['helperMs']), 0);
  test.ok(turns > 0, `${turns} turns`);
  test.ok(milliseconds > 0 && milliseconds < 5000, `${milliseconds} ms`);
  test.ok(helped.every(({ port }) => port === 0));
});

t.test('who drives: a thread, told once', async (test) => {
  const threads = `${load('engine')}engine.engine.configure({ helper: 'always' });${echo}`;
  test.strictSame(only(await toldBy(threads, { IOCP_NET_BACKEND: '' }), 'drive'), [
    { name: 'drive', port: 0, driver: 'thread', helperTurns: 0, helperMs: 0 },
  ]);
});

t.test('NODE_DEBUG=iocp-net prints all of it', async (test) => {
  const env = { NODE_DEBUG: 'iocp-net', IOCP_NET_BACKEND: '' };
  const limited = away.replace(
    'server.close()',
    `{
    server.maxConnections = -1;
    net.connect(server.address().port, '127.0.0.1').resume().on('error', () => {})
      .on('close', () => server.close());
  }`,
  );
  const { stderr } = await run(load('net') + limited, 15_000, { env });
  for (const line of [
    new RegExp(
      `^IOCP-NET \\d+: engine: ${first}, the first of this system; ports: 1, driven by the event loop$`,
      'm',
    ),
    /^IOCP-NET \d+: socket 1: (connect|accept), 127\.0\.0\.1:\d+ with 127\.0\.0\.1:\d+$/m,
    /^IOCP-NET \d+: socket \d: close, 20 bytes read, 20 written$/m,
    /^IOCP-NET \d+: port 0: driven by .*; the helper drove \d+ times, [\d.]+ ms in all$/m,
    /^IOCP-NET \d+: drop: maxConnections, 127\.0\.0\.1:\d+ with 127\.0\.0\.1:\d+$/m,
  ]) {
    test.match(stderr, line);
  }
  const fallback = await run(load('net') + 'new net.Socket()', 15_000, {
    env: { ...env, IOCP_NET_BACKEND: foreign },
  });
  test.match(fallback.stderr, /^IOCP-NET \d+: fallback: node:net serves, because no backend/m);
});

t.test('without NODE_DEBUG nobody listens, and nothing is printed', async (test) => {
  const program = `${load('net')}
    const { channel } = require('node:diagnostics_channel');
    const names = ['engine', 'fallback', 'connection', 'close', 'leave', 'drop', 'drive'];
    const heard = names.filter((name) => channel('iocp-net:' + name).hasSubscribers);
    ${echo}
    console.log(JSON.stringify(heard));`;
  const { stdout, stderr } = await run(program, 15_000, { env: { NODE_DEBUG: 'net2' } });
  test.equal(stdout, '[]\n');
  test.equal(stderr, '');
});

/**
 * The event loop waits in our port. What libuv has to do meanwhile goes on: whatever ends there wakes
 * it, and while nothing does, it sleeps.
 */
import t from 'tap';
import { load, run } from '../support/child';

/** Kinds of work that libuv does; each returns a promise. */
const kinds = `
const kinds = {
  timer: () => new Promise((done) => setTimeout(done, 5)),
  immediate: () => new Promise((done) => setImmediate(done)),
  file: () => fs.promises.stat(process.execPath),
  lookup: () => dns.promises.lookup('localhost'),
  hash: () => promisify(crypto.pbkdf2)('password', 'salt', 1000, 8, 'sha1'),
  deflate: () => promisify(zlib.deflate)(Buffer.alloc(100_000)),
  message: () => {
    echoing.postMessage('x');
    return once(echoing, 'message');
  },
  worker: () => once(new Worker('0', { eval: true }), 'exit'),
  process: () => once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit'),
  datagram: () => {
    datagrams.send('x', datagrams.address().port, '127.0.0.1');
    return once(datagrams, 'message');
  },
  socket: () => echo(theirs.address().port),
  'local socket': () => echo(theirsLocal.address()),
};
const rounds = { worker: 3, process: 2 };

async function echo(where) {
  const client = nodeNet.connect(typeof where === 'string' ? { path: where } : { port: where });
  client.write('x');
  await once(client, 'data');
  client.end();
  await once(client, 'close');
}
`;

/** Reports, line by line: what was done, then what the port did while nothing happened. */
const program = `${load('net')}${load('engine')}
const [fs, dns, os, path, crypto, zlib, dgram, nodeNet] =
  ['fs', 'dns', 'os', 'path', 'crypto', 'zlib', 'dgram', 'net'].map((name) => require('node:' + name));
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');
const { Worker } = require('node:worker_threads');
${kinds}
const say = (what) => fs.writeSync(1, JSON.stringify(what) + '\\n');
const pipe = process.platform === 'win32' ? '\\\\\\\\.\\\\pipe\\\\' : os.tmpdir() + '/';
const echoing = new Worker(
  "const { parentPort } = require('worker_threads'); parentPort.on('message', (it) => parentPort.postMessage(it));",
  { eval: true },
);
const datagrams = dgram.createSocket('udp4').bind(0, '127.0.0.1');
const theirs = nodeNet.createServer((socket) => socket.pipe(socket)).listen(0);
const theirsLocal = nodeNet
  .createServer((socket) => socket.pipe(socket))
  .listen(pipe + 'loop-work-' + process.pid + '-' + Date.now());
const server = net.createServer().listen(0, '127.0.0.1');

(async () => {
  await Promise.all([server, theirs, theirsLocal, datagrams].map((each) => once(each, 'listening')));
  // Two connections on which nothing happens.
  const client = net.connect(server.address().port, '127.0.0.1');
  const [peer] = await once(server, 'connection');
  for (const [kind, work] of Object.entries(kinds)) {
    const count = rounds[kind] ?? 10;
    for (let round = 0; round < count; round++) await work();
    say({ kind, rounds: count });
  }
  const before = engine.engine.stats().osCalls;
  await new Promise((done) => setTimeout(done, 500));
  say({ callsWhileIdle: engine.engine.stats().osCalls - before });
  await echoing.terminate();
  datagrams.close();
  theirs.close();
  theirsLocal.close();
  client.destroy();
  peer.destroy();
  server.close(() => say('closed'));
  if (typeof inWorker === 'undefined') process.on('beforeExit', () => say('beforeExit'));
  process.on('exit', () => say('exit'));
})();
`;

const inWorker = `
const { Worker } = require('node:worker_threads');
new Worker(${JSON.stringify(`const inWorker = true;${program}`)}, { eval: true });
`;

/** Starting a process takes seconds under Wine. */
const SLOWEST_MS = 100_000;
t.setTimeout(SLOWEST_MS);

for (const [thread, source] of Object.entries({ 'main thread': program, worker: inWorker })) {
  t.test(`work of libuv's while the loop waits in the port: ${thread}`, async (test) => {
    const { code, signal, stdout, stderr } = await run(source, SLOWEST_MS);
    test.equal(stderr, '');
    test.strictSame({ code, signal }, { code: 0, signal: null });
    const said = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const done = said.map((line) => (line as { kind?: string }).kind).filter(Boolean);
    test.equal(done.length, 12, done.join());
    const [, callsWhileIdle] = /"callsWhileIdle":(\d+)/.exec(stdout) ?? [];
    test.ok(Number(callsWhileIdle) <= 10, `${callsWhileIdle} calls while nothing happened`);
    const end = thread === 'worker' ? ['closed', 'exit'] : ['closed', 'beforeExit', 'exit'];
    test.strictSame(said.slice(-end.length), end);
  });
}

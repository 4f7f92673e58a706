/** Programs that end, in some way, while a connection is in some state. All in one process, or in
 * its worker, so that one module of sockets makes both ends. */
import t, { type Test } from 'tap';
import { certificate } from './certificate';
import { entryFile, run, type Ended } from './child';

const AT_ONCE = 3;
/** Of a file of tests; each program has its own limit. */
const LIMIT_MS = 240_000;

/** Each calls `reached()` when it is there. `kept` holds what must not be collected. */
const states = {
  idle: `pair(reached);`,
  connecting: `server.listen(0, host, () => { connect(); reached(); });`,
  accepting: `
    server.once('connection', reached);
    server.listen(0, host, () => { for (let i = 0; i < 4; i++) connect(); });`,
  reading: `
    pair((client, peer) => {
      peer.on('data', (chunk) => peer.write(chunk));
      client.on('data', (chunk) => client.write(chunk));
      client.once('data', reached);
      client.write(Buffer.alloc(60000));
    });`,
  'writing with a backlog': `
    pair((client, peer) => {
      peer.pause();
      for (let i = 0; i < 64; i++) client.write(Buffer.alloc(256 << 10));
      setImmediate(reached);
    });`,
  closing: `
    pair((client, peer) => {
      client.write(Buffer.alloc(100000));
      client.end();
      peer.destroy();
      server.close();
      reached();
    });`,
  'a TLS handshake': `
    server.once('connection', (peer) => peer.once('data', reached));
    server.listen(0, host, () => {
      kept.push(tls.connect({ socket: connect(), rejectUnauthorized: false }).on('error', () => {}));
    });`,
  'TLS that is established': `
    const secured = tls.createServer(${JSON.stringify(certificate)});
    server.on('connection', (peer) => secured.emit('connection', peer));
    secured.on('secureConnection', (peer) => kept.push(peer.on('error', () => {})));
    server.listen(0, host, () => {
      const client = tls.connect({ socket: connect(), rejectUnauthorized: false }, reached);
      kept.push(client.on('error', () => {}));
    });`,
  'a local socket': `
    const path = process.platform === 'win32'
      ? '\\\\\\\\.\\\\pipe\\\\lifecycle-' + process.pid
      : require('node:path').join(require('node:os').tmpdir(), 'lifecycle-' + process.pid + '.sock');
    server.on('connection', (peer) => { peer.write('x'); });
    // One of the same number that was killed may have left it.
    if (process.platform !== 'win32') require('node:fs').rmSync(path, { force: true });
    server.listen(path, () => {
      kept.push(net.connect(path).on('error', () => {}).once('data', reached));
    });`,
} as const;

/** What \`reached\` does. \`tell\` says to the outside that it is time. */
const endings = {
  'process.exit()': `process.exit(7);`,
  'an uncaught exception': `setImmediate(() => { throw new Error('on purpose'); });`,
  SIGTERM: `process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 10000);`,
  'server.close()': `
    process.on('exit', (code) => console.log('exit', code));
    server.close();
    for (const each of kept) each.destroy();`,
  'a child by spawn': `
    const script = \`
      const fs = require('node:fs');
      const isSocket = (fd) => {
        try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
      };
      const all = process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').filter(isSocket) : [];
      process.stdout.write(String(all.length));\`;
    const { status, stdout } = require('node:child_process').spawnSync(process.execPath, ['-e', script]);
    console.log('child', status, String(stdout));
    process.exit(0);`,
  'garbage collection': `
    kept.length = 0;
    for (let i = 0; i < 3; i++) gc();
    setTimeout(() => { gc(); process.exit(3); }, 30);`,
  // It must not have ended by itself before.
  'worker.terminate()': `
    setInterval(() => {}, 1000);
    require('node:worker_threads').parentPort.postMessage('reached');`,
  'process.exit() in a worker': `process.exit(5);`,
  'an uncaught exception in a worker': `setImmediate(() => { throw new Error('on purpose'); });`,
  'SIGKILL of a cluster worker': `process.send('reached');`,
  'a cluster worker that disconnects': `
    require('node:cluster').worker.disconnect();
    for (const each of kept) each.destroy();`,
} as const;

export type State = keyof typeof states;
export type Ending = keyof typeof endings;
export const stateNames = Object.keys(states) as State[];
export const endingNames = Object.keys(endings) as Ending[];

const common = `
const tls = require('node:tls');
const host = '127.0.0.1';
const kept = [];
const keep = (socket) => { kept.push(socket.on('error', () => {})); return socket; };
const server = net.createServer(keep);
const connect = () => keep(net.connect(server.address().port, host));
const pair = (ready) => {
  let client;
  server.once('connection', (peer) => ready(client, peer));
  server.listen(0, host, () => { client = connect(); });
};
`;

/** Runs the state in a worker and says how that ended. */
const inWorker = (source: string): string => `
const { Worker } = require('node:worker_threads');
const worker = new Worker(${JSON.stringify(source)}, { eval: true });
worker.on('message', () => worker.terminate());
worker.on('error', (error) => console.log('error', error.message));
worker.on('exit', (code) => console.log('worker', code));
`;

/** Runs the state in a worker of a cluster; both run the program. */
const inCluster = (source: string): string => `
const cluster = require('node:cluster');
if (cluster.isPrimary) {
  const file = require('node:path').join(require('node:os').tmpdir(), 'lifecycle-' + process.pid + '.cjs');
  require('node:fs').writeFileSync(file, ${JSON.stringify(source)});
  cluster.setupPrimary({ exec: file, execArgv: [] });
  const worker = cluster.fork();
  worker.on('message', () => worker.process.kill('SIGKILL'));
  worker.on('exit', (code, signal) => {
    require('node:fs').rmSync(file);
    console.log('worker', code, signal, worker.exitedAfterDisconnect);
  });
}
`;

/** Source that loads what is under test, or what it is compared with, as `net`. */
export const loadNet = (isOurs: boolean): string =>
  `const net = require(${JSON.stringify(isOurs ? entryFile('net') : 'node:net')});\n`;

export function programOf(isOurs: boolean, state: State, ending: Ending): string {
  const once = 'let isOver = false; const reached = () => { if (isOver) return; isOver = true;';
  const source = `${loadNet(isOurs)}${common}${once}${endings[ending]}};\n{${states[state]}}`;
  if (ending.includes('cluster')) return inCluster(source);
  return ending.includes('worker') ? inWorker(source) : source;
}

/** How it ended, and what it said; of an error's report the line that says which it was. */
function outcome({ code, signal, stdout, stderr }: Ended): unknown {
  const said = stderr.split('\n').filter((line) => /^(Error|FATAL|#|Assertion)/.test(line));
  return { code, signal, stdout, said };
}

async function outcomeOf(isOurs: boolean, state: State, ending: Ending): Promise<unknown> {
  const program = programOf(isOurs, state, ending);
  return outcome(await run(program, 20_000, { execArgv: ['--expose-gc'] }));
}

async function compare(test: Test, state: State, ending: Ending): Promise<void> {
  const [expected, actual] = await Promise.all([
    outcomeOf(false, state, ending),
    outcomeOf(true, state, ending),
  ]);
  test.strictSame(actual, expected, `${state}, ${ending}`);
}

/** A subtest for each of these endings: all states, ours against `node:net`. */
export function compareEndings(endings: readonly Ending[]): void {
  t.setTimeout(LIMIT_MS);
  for (const ending of endings) {
    t.test(`${ending}, in each state of a connection`, async (test) => {
      const waiting = [...stateNames];
      const work = async (): Promise<void> => {
        for (let state = waiting.shift(); state !== undefined; state = waiting.shift()) {
          await compare(test, state, ending);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    });
  }
}

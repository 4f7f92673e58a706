/** The endpoint of an engine: what it tells, who may ask, and that it disturbs nothing. */
import t from 'tap';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { entryFile, load, run } from '../support/child';
import { Running } from '../support/command-line';
import { closing, listen } from '../support/sockets';

const windows = process.platform === 'win32';

const folder = mkdtempSync(join(tmpdir(), 'iocp-net-endpoint-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const freshPath = (): string => {
  const name = `e${process.pid}-${++made}`;
  return windows ? `\\\\.\\pipe\\iocp-net-test-${name}` : join(folder, name);
};

/** What comes back for these bytes, line by line, until so many lines are there or it ends. */
async function send(path: string, bytes: string, lines = 1): Promise<string[]> {
  const client = connect({ path });
  let text = '';
  client.setEncoding('utf8');
  client.on('error', () => {});
  client.on('data', (more: string) => {
    text += more;
    if (text.split('\n').length > lines) client.destroy();
  });
  client.write(bytes);
  await closing(client);
  return text.split('\n').filter((line) => line !== '');
}

const ask = async (path: string) => JSON.parse((await send(path, 'stats\n'))[0] ?? 'null');

t.test('it tells what the engine does, and is not part of that', async (test) => {
  const server = net.createServer({ limits: { connections: 7 } } as object);
  const port = await listen(server);
  const activePipes = () => process.getActiveResourcesInfo().filter((name) => /Pipe/.test(name));
  const active = activePipes();
  const endpoint = await engine.openEndpoint(freshPath());
  const before = await ask(endpoint.path);
  test.match(before, {
    pid: process.pid,
    thread: 0,
    backend: engine.backend,
    node: process.version,
  });
  test.match(before.servers, [
    { address: `127.0.0.1:${port}`, connections: 0, limits: { connections: 7 } },
  ]);
  const client = net.connect(port, '127.0.0.1').resume();
  const [peer] = await once(server, 'connection');
  peer.resume();
  const during = await ask(endpoint.path);
  test.equal(during.stats.socketsOpen, 2, 'its own connections are none of them');
  test.equal(during.servers[0].connections, 1);
  test.equal(during.stats.operations.accept.completed, 1);
  test.ok(during.clockMs > before.clockMs);
  const { bytesReceived, bytesSent, directSends } = during.stats;
  test.strictSame(
    { bytesReceived, bytesSent, directSends },
    { bytesReceived: 0, bytesSent: 0, directSends: 0 },
  );
  test.strictSame(activePipes(), active, 'nothing of it holds the event loop');
  client.destroy();
  peer.destroy();
  server.close();
  await endpoint.close();
  if (!windows) test.notOk(existsSync(endpoint.path));
  test.strictSame(await send(endpoint.path, 'stats\n'), [], 'nobody listens any more');
  await endpoint.close();
});

// Wine takes whatever is written at once, also from Node's own net.
t.test('what waits to be sent is counted', { skip: windows }, async (test) => {
  const server = net.createServer((peer) => peer.pause().on('error', () => {}));
  const port = await listen(server);
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  const endpoint = await engine.openEndpoint(freshPath());
  client.write(Buffer.alloc(32 * 1024 * 1024));
  const { queues } = await ask(endpoint.path);
  test.ok(queues.bytesWaiting > 1024 * 1024, `${queues.bytesWaiting} bytes`);
  test.equal(queues.socketsWaiting, 1);
  test.equal(queues.longestBytes, queues.bytesWaiting);
  client.on('error', () => {}).resetAndDestroy();
  server.close();
  await endpoint.close();
});

t.test('it knows one request, and bears no more', async (test) => {
  const endpoint = await engine.openEndpoint(freshPath());
  const [refused, answered] = await send(endpoint.path, 'reset\nstats\n', 2);
  test.strictSame(JSON.parse(refused ?? ''), { error: 'the request is stats' });
  test.equal(JSON.parse(answered ?? '').pid, process.pid);
  test.strictSame(await send(endpoint.path, 'x'.repeat(100)), [], 'closed');
  test.strictSame(await send(endpoint.path, 'stats\n'.repeat(20), 20), [], 'closed');
  const clients = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const client = connect({ path: endpoint.path });
      await once(client, 'connect');
      return client.on('error', () => {});
    }),
  );
  test.strictSame(await send(endpoint.path, 'stats\n'), [], 'there are enough');
  for (const client of clients) client.destroy();
  await endpoint.close();
});

t.test('only its user may open it', { skip: windows }, async (test) => {
  const endpoint = await engine.openEndpoint(folder);
  test.equal(endpoint.path, join(folder, `${process.pid}.sock`));
  test.equal(statSync(endpoint.path).mode & 0o777, 0o600);
  const taken = engine.openEndpoint(endpoint.path);
  await test.rejects(taken, { code: 'EADDRINUSE' });
  test.equal((await ask(endpoint.path)).pid, process.pid, 'it still answers');
  await endpoint.close();
  const file = join(folder, 'file');
  writeFileSync(file, 'mine');
  await test.rejects(engine.openEndpoint(file), { code: 'EADDRINUSE' });
  test.ok(statSync(file).isFile(), 'no file is replaced');
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  await test.rejects(engine.openEndpoint(join(open, 'e')), { code: 'EACCES' });
  const long = join(folder, 'x'.repeat(120));
  await test.rejects(engine.openEndpoint(long), { code: 'ENAMETOOLONG' });
  await test.rejects(engine.openEndpoint(join(folder, 'missing', 'e')), { code: 'ENOENT' });
  test.notOk(
    readdirSync(folder).some((name) => name.startsWith('.iocp')),
    'nothing is left',
  );
});

// Everybody may open a pipe to read.
t.test(
  'who may only read cannot ask, and keeps nobody from it',
  { skip: !windows },
  async (test) => {
    const endpoint = await engine.openEndpoint(freshPath());
    const reader = openSync(endpoint.path, 'r');
    test.throws(() => writeSync(reader, 'stats\n'), { code: /^(EBADF|EPERM|EACCES)$/ });
    test.equal((await ask(endpoint.path)).pid, process.pid);
    closeSync(reader);
    await endpoint.close();
  },
);

t.test('a bad path is refused', async (test) => {
  for (const path of ['', 'a\0b', 7, null, ...(windows ? ['C:\\x', '\\\\.\\pipe\\'] : [])]) {
    await test.rejects(engine.openEndpoint(path as string), { code: 'ERR_INVALID_ARG_VALUE' });
  }
});

t.test('the default folder must be ours alone', { skip: windows }, async (test) => {
  const runtime = join(folder, 'runtime');
  mkdirSync(join(runtime, 'iocp-net'), { recursive: true });
  chmodSync(join(runtime, 'iocp-net'), 0o755);
  const program = `${load('engine')}
    engine.engine.openEndpoint().then(({ path }) => console.log(path), ({ code }) => console.log(code));`;
  const env = { XDG_RUNTIME_DIR: runtime };
  test.equal((await run(program, 15_000, { env })).stdout, 'EACCES\n');
  chmodSync(join(runtime, 'iocp-net'), 0o700);
  test.match((await run(program, 15_000, { env })).stdout, /iocp-net\/\d+\.sock\n/);
  test.strictSame(readdirSync(join(runtime, 'iocp-net')), [], 'gone with the process');
});

const opener = `${load('net')} ${load('engine')}
  process.on('warning', ({ code, message }) => console.log(code, message));
  net.createServer().listen(0, '127.0.0.1', function () { console.log('listening'); });`;

t.test('a file that a killed process has left is replaced', { skip: windows }, async (test) => {
  const path = freshPath();
  const killed = new Running(['-e', opener], { IOCP_NET_ENDPOINT: path });
  await killed.until(/listening/);
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
  test.equal((await ask(path)).pid, killed.child.pid);
  await killed[Symbol.asyncDispose]();
  test.ok(existsSync(path));
  const endpoint = await engine.openEndpoint(path);
  test.equal((await ask(path)).pid, process.pid);
  await endpoint.close();
});

t.test(
  'IOCP_NET_ENDPOINT: what goes wrong is a warning, on node:net it is there as well',
  async (test) => {
    const path = freshPath();
    const first = new Running(['-e', opener], {
      IOCP_NET_ENDPOINT: path,
      IOCP_NET_BACKEND: 'node',
    });
    await first.until(/listening/);
    let snapshot: Awaited<ReturnType<typeof ask>> = null;
    while (snapshot === null) snapshot = await ask(path).catch(() => null);
    test.match(snapshot, { backend: 'node', pid: first.child.pid, servers: [] });
    // Under Wine a second process may listen on the same pipe, with Node's own net as well.
    if (!windows) {
      const second = new Running(['-e', opener], { IOCP_NET_ENDPOINT: path });
      await second.until(
        /IOCP_NET_ENDPOINT the endpoint .* could not be opened: .*(in use|EADDRINUSE)/,
      );
      await second[Symbol.asyncDispose]();
    }
    await first[Symbol.asyncDispose]();
  },
);

t.test('it holds no process, not even while somebody is connected', async (test) => {
  const path = freshPath();
  const program = `${load('engine')}
    const { connect } = require('node:net');
    engine.engine.openEndpoint(${JSON.stringify(path)}).then(({ path }) => {
      connect({ path }, function () { this.write('stats\\n'); }).once('data', function () {
        this.unref();
        console.log('asked');
      });
    });`;
  const { stdout, code, signal } = await run(program, 15_000);
  test.strictSame([stdout, code, signal], ['asked\n', 0, null]);
  if (!windows) test.notOk(existsSync(path), 'gone with the process');
});

t.test('workers have endpoints of their own', { skip: windows }, async (test) => {
  const runtime = mkdtempSync(join(folder, 'w'));
  const program = `
    const { Worker } = require('node:worker_threads');
    require(${JSON.stringify(entryFile('engine'))}).engine.backend;
    new Worker("require(" + ${JSON.stringify(JSON.stringify(entryFile('engine')))} + ").engine.backend; setInterval(() => {}, 1000)", { eval: true });
    setInterval(() => {}, 1000);`;
  const running = new Running(['-e', program], { IOCP_NET_ENDPOINT: `${runtime}/` });
  const { pid } = running.child;
  const wanted = new RegExp(`^${pid}-\\d+\\.sock,${pid}\\.sock$`);
  const there = () =>
    readdirSync(runtime)
      .filter((name) => name.endsWith('.sock'))
      .sort();
  while (there().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  test.match(there().join(), wanted);
  test.not((await ask(join(runtime, there()[0] ?? ''))).thread, 0);
  await running[Symbol.asyncDispose]();
});

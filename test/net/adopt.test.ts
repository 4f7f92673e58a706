/** Sockets and listeners that exist already: descriptors, and handles of Node's. */
import t from 'tap';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import * as nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { kConnection } from '#dist/net/node/internals.js';
import { sameAsNode } from '../support/compare';
import { closed, closeServer, closing, connectedPair, listen, quiet } from '../support/sockets';

interface WithHandle {
  _handle: { fd: number; close(): void } | null;
}

const isWindows = process.platform === 'win32';
const noDescriptors = isWindows && 'Node has no descriptors of sockets on Windows';

const socketsOpen = (): number => engine.stats().socketsOpen;
const accepted = (): number => engine.stats().operations['accept']?.completed ?? 0;

/** Takes the handle out of a socket or server of Node's. */
function takeHandle(owner: object): { fd: number; close(): void } {
  const holder = owner as WithHandle;
  const handle = holder._handle;
  if (handle === null) throw new Error('no handle');
  if (owner instanceof nodeNet.Socket) holder._handle = null;
  return handle;
}

/** A descriptor of the peer's side of a connection, and the other side. */
async function descriptorPair(): Promise<{ fd: number; client: nodeNet.Socket }> {
  const pair = await connectedPair(net, { server: { pauseOnConnect: true } });
  const inner = pair.peer as unknown as Record<
    symbol,
    { duplicate(): number | string; release(): void }
  >;
  const connection = inner[kConnection];
  const fd = connection?.duplicate();
  if (typeof fd !== 'number') throw new Error(`no duplicate: ${String(fd)}`);
  connection?.release();
  await Promise.all([closed(pair.peer), closeServer(pair.server)]);
  return { fd, client: pair.client };
}

t.test('new Socket({ fd })', { skip: noDescriptors }, async (test) => {
  const { fd, client } = await descriptorPair();
  client.write('early');
  const socket = new net.Socket({ fd });
  test.equal(socket.remoteAddress, '127.0.0.1');
  test.equal(socket.remotePort, client.localPort);
  test.match(socket, { connecting: false, pending: false, readyState: 'open' });
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  test.equal(String(chunk), 'early');
  test.ok((socket as unknown as Record<symbol, unknown>)[kConnection], 'on the core');
  socket.end('answer');
  const over = closing(socket);
  client.on('data', (answer: Buffer) => test.equal(String(answer), 'answer'));
  await once(client, 'end');
  client.end();
  await over;
});

t.test('new Socket(fd), paused by manualStart', { skip: noDescriptors }, async (test) => {
  const { fd, client } = await descriptorPair();
  const socket = new net.Socket({ fd, manualStart: true } as nodeNet.SocketConstructorOpts);
  client.write('kept');
  await new Promise(setImmediate);
  test.equal(socket.bytesRead, 0);
  socket.resume();
  await once(socket, 'data');
  await Promise.all([closed(socket), closed(client)]);

  const other = await descriptorPair();
  const byNumber = new (net.Socket as unknown as new (fd: number) => nodeNet.Socket)(other.fd);
  other.client.write('x');
  await once(byNumber, 'data');
  await Promise.all([closed(byNumber), closed(other.client)]);
});

t.test('the descriptor is closed with the socket', { skip: noDescriptors }, async (test) => {
  const { fd, client } = await descriptorPair();
  const socket = new net.Socket({ fd });
  await Promise.all([closed(socket), closed(client)]);
  for (let turn = 0; turn < 500 && socketsOpen() > 0; turn++) await new Promise(setImmediate);
  test.throws(() => closeSync(fd), { code: 'EBADF' });
});

t.test('so it is when the options are refused', { skip: noDescriptors }, async (test) => {
  const refused = await descriptorPair();
  const options = { fd: refused.fd, objectMode: true };
  const make = (): unknown => new net.Socket(options);
  test.throws(make, { code: 'ERR_INVALID_ARG_VALUE' });
  await closing(refused.client.resume());
});

for (const fd of [-1, 1.5, 2 ** 31, 'x', 123456]) {
  sameAsNode(t, `new Socket({ fd: ${fd} })`, async ({ net: either }) => {
    await Promise.resolve();
    try {
      new either.Socket({ fd } as nodeNet.SocketConstructorOpts);
      return 'made';
    } catch (error) {
      return error;
    }
  });
}

sameAsNode(t, 'a descriptor of a file is refused', async ({ net: either }) => {
  await Promise.resolve();
  const name = join(tmpdir(), `iocp-net-${process.pid}`);
  const fd = openSync(name, 'w');
  try {
    new either.Socket({ fd });
    return 'made';
  } catch (error) {
    return error;
  } finally {
    closeSync(fd);
    rmSync(name);
  }
});

for (const fd of [123456, 2 ** 31]) {
  sameAsNode(t, `listen({ fd: ${fd} })`, async ({ net: either }) => {
    const server = either.createServer();
    const failed = new Promise((resolve) => server.once('error', resolve));
    server.listen({ fd });
    return failed;
  });
}

t.test("a socket's handle of Node's", async (test) => {
  const server = nodeNet.createServer({ pauseOnConnect: true });
  const port = await listen(server);
  const waiting = once(server, 'connection');
  const client = nodeNet.connect(port, '127.0.0.1');
  client.write('hello');
  const [given] = (await waiting) as [nodeNet.Socket];
  const socket = new net.Socket({
    handle: takeHandle(given),
  } as unknown as nodeNet.SocketConstructorOpts);
  given.destroy(); // it has nothing left, and the server counts it
  test.equal(socket.remotePort, client.localPort);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  test.equal(String(chunk), 'hello');
  socket.write('hello yourself');
  const [answer] = (await once(client, 'data')) as [Buffer];
  test.equal(String(answer), 'hello yourself');
  test.equal(Boolean((socket as unknown as Record<symbol, unknown>)[kConnection]), !isWindows);
  await Promise.all([closed(socket), closed(client), closeServer(server)]);
});

t.test("listen(handle): a server's handle of Node's", async (test) => {
  const donor = nodeNet.createServer(() => test.fail('the donor accepts no more'));
  const port = await listen(donor);
  const server = net.createServer((socket) => quiet(socket).end('from the core'));
  const before = accepted();
  server.listen(takeHandle(donor) as never);
  await once(server, 'listening');
  test.equal((server.address() as nodeNet.AddressInfo).port, port);
  const client = nodeNet.connect(port, '127.0.0.1');
  const [chunk] = (await once(client, 'data')) as [Buffer];
  test.equal(String(chunk), 'from the core');
  if (!isWindows) test.equal(accepted(), before + 1);
  await Promise.all([closed(client), closeServer(server)]);
});

t.test('listen(server of ours): both accept', async (test) => {
  const counts = { first: 0, second: 0 };
  const first = net.createServer((socket) => {
    counts.first++;
    quiet(socket).end();
  });
  const second = net.createServer((socket) => {
    counts.second++;
    quiet(socket).end();
  });
  const port = await listen(first);
  second.listen(first as never);
  await once(second, 'listening');
  await closeServer(first);
  for (let i = 0; i < 3; i++) {
    const client = net.connect(port, '127.0.0.1').resume();
    await closing(client);
  }
  test.strictSame(counts, { first: 0, second: 3 });
  await closeServer(second);
});

t.test('listen({ fd })', { skip: noDescriptors }, async (test) => {
  const donor = net.createServer(() => {});
  const port = await listen(donor);
  const own = (donor as unknown as { _handle: { duplicate(): number } })._handle.duplicate();
  await closeServer(donor);
  const server = net.createServer((socket) => quiet(socket).end('here'));
  server.listen({ fd: own });
  await once(server, 'listening');
  test.equal((server.address() as nodeNet.AddressInfo).port, port);
  const client = net.connect(port, '127.0.0.1');
  const [chunk] = (await once(client, 'data')) as [Buffer];
  test.equal(String(chunk), 'here');
  await Promise.all([closed(client), closeServer(server)]);
  test.throws(() => closeSync(own), { code: 'EBADF' });
});

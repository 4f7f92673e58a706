/** What is told of sockets on our diagnostics channels. */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import * as http2 from 'iocp-net/http2';
import type { DiagnosticsMessages } from 'iocp-net/engine';
import t from 'tap';
import { closed, closeServer, closing, connectedPair, listen } from '../support/sockets';

const windows = process.platform === 'win32';

type Message<Name extends string> = DiagnosticsMessages[`iocp-net:${Name}` &
  keyof DiagnosticsMessages];

/** What a channel told from now on. */
function follow<Name extends 'connection' | 'close' | 'leave' | 'drop'>(name: Name) {
  const told: Message<Name>[] = [];
  subscribe(`iocp-net:${name}`, (message) => void told.push(message as Message<Name>));
  return told;
}

t.test('a connection has a beginning and an end at both ends', async (test) => {
  const begins = follow('connection');
  const ends: object[] = [];
  subscribe('iocp-net:close', (message) => {
    const { socket } = message as Message<'close'>;
    const { bytesRead, bytesWritten, errored, remotePort } = socket;
    ends.push({ bytesRead, bytesWritten, errored, remotePort });
  });
  const { server, client, peer } = await connectedPair(net);
  const ports = new Map(begins.map(({ socket }) => [socket, socket.remotePort]));
  test.equal(begins.length, 2);
  test.equal(begins.find(({ origin }) => origin === 'connect')?.socket, client);
  test.equal(begins.find(({ origin }) => origin === 'accept')?.socket, peer);
  test.strictSame(ends, []);
  peer.pipe(peer);
  client.resume().end('four');
  await Promise.all([closing(client), closing(peer)]);
  const end = { bytesRead: 4, bytesWritten: 4, errored: null };
  test.strictSame(
    new Set(ends),
    new Set([...ports.values()].map((remotePort) => ({ ...end, remotePort }))),
  );
  await closeServer(server);
});

t.test('it is told before the events, and what a subscriber sees is open', async (test) => {
  const seen: unknown[] = [];
  const server = net.createServer(() => seen.push('connection')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as nodeNet.AddressInfo;
  const client = net.connect(port, '127.0.0.1', () => seen.push('connect'));
  subscribe('iocp-net:connection', (message) => {
    const { socket, origin } = message as Message<'connection'>;
    if (socket.remotePort === port || socket.localPort === port) seen.push(origin, socket.pending);
  });
  await once(client, 'connect');
  while (seen.length < 6) await once(server, 'connection');
  test.ok(seen.indexOf('connect') < seen.lastIndexOf('connect'), 'the client');
  test.ok(seen.indexOf('accept') < seen.indexOf('connection'), 'the server');
  test.notOk(seen.includes(true), 'neither is pending');
  client.destroy();
  await closing(client);
  await closeServer(server);
});

t.test('an end says its error; a socket that never connected has none', async (test) => {
  const { server, client, peer, port } = await connectedPair(net);
  const begins = follow('connection');
  const ends = follow('close');
  peer.on('error', () => {});
  client.resetAndDestroy();
  await Promise.all([closing(client), closing(peer)]);
  await closeServer(server);
  test.strictSame(
    ends.map(({ socket }) => [socket, socket.errored && Reflect.get(socket.errored, 'code')]),
    [
      [client, null],
      [peer, 'ECONNRESET'],
    ],
  );
  const late = net.connect(port, '127.0.0.1').on('error', () => {});
  await closing(late);
  test.equal(begins.length, 0);
  test.equal(ends.length, 2);
});

t.test('one whose handle was looked at ends like the others', async (test) => {
  const ends = follow('close');
  const pair = await connectedPair(net);
  for (const socket of [pair.client, pair.peer]) test.ok(Reflect.get(socket, '_handle'));
  await pair.close();
  test.equal(ends.length, 2);
  test.equal(new Set(ends.map(({ socket }) => socket)).size, 2);
});

t.test('what goes on with a handle of Node has left', { skip: windows }, async (test) => {
  const [begins, left, ends] = [follow('connection'), follow('leave'), follow('close')];
  const server = http2.createServer((_request, response) => response.end('x'));
  const port = await listen(server);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await once(session.request().resume(), 'end');
  session.close();
  await once(session, 'close');
  await new Promise((done) => server.close(done));
  test.equal(begins.length, 2);
  test.ok(left.length > 0);
  const over = [...left, ...ends].map(({ socket }) => socket);
  test.strictSame(new Set(over), new Set(begins.map(({ socket }) => socket)), 'each has one end');
  test.equal(over.length, begins.length);
});

t.test('an adopted one is told as such', { skip: windows }, async (test) => {
  const { server, client, peer } = await connectedPair(nodeNet);
  const begins = follow('connection');
  const handle: unknown = Reflect.get(peer, '_handle');
  Reflect.set(peer, '_handle', null);
  const socket = new net.Socket({ handle } as unknown as nodeNet.SocketConstructorOpts);
  test.strictSame(
    begins.map((begin) => [begin.origin, begin.socket === socket]),
    [['adopt', true]],
  );
  void closing(socket);
  await Promise.all([closed(socket), closed(client)]);
  server.close();
});

t.test('a drop is told with its limit, and whom it met', async (test) => {
  const blockList = new net.BlockList();
  blockList.addAddress('127.0.0.1');
  const limits: [string, (server: nodeNet.Server) => void, object?][] = [
    ['maxConnections', (server) => (server.maxConnections = -1)],
    ['blockList', (server) => Reflect.set(server, 'blockList', blockList)],
    ['idleMs', () => {}, { limits: { idleMs: 50 } }],
  ];
  for (const [reason, prepare, options = {}] of limits) {
    const drops = follow('drop');
    const server = net.createServer(options);
    const port = await listen(server);
    prepare(server);
    const client = net.connect(port, '127.0.0.1').on('error', () => {});
    await closing(client.resume());
    await closeServer(server);
    test.strictSame(
      drops.map((drop) => [drop.server === server, drop.reason, drop.info?.remoteAddress]),
      [[true, reason, '127.0.0.1']],
      reason,
    );
  }
});

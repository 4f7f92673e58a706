import t from 'tap';
import { once } from 'node:events';
import * as nodeModule from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import {
  closing,
  quiet,
  closed,
  closeServer,
  connectedPair,
  delay,
  listen,
} from '../support/sockets';

sameAsNode(t, 'maxConnections drops what is too much', async ({ net: module, log }) => {
  const server = module.createServer();
  const port = await listen(server);
  server.maxConnections = 2;
  server.on('connection', () => log('connection'));
  server.on('drop', (data) => {
    const { localAddress, localPort, localFamily, remoteAddress, remoteFamily } = data ?? {};
    log('drop', localAddress, localPort === port, localFamily, remoteAddress, remoteFamily);
    log(Object.keys(data ?? {}), Object.getPrototypeOf(data));
  });
  const dropped = once(server, 'drop');
  const clients: nodeModule.Socket[] = [];
  for (let each = 0; each < 3; each++) {
    const client = module.connect(port, '127.0.0.1');
    quiet(client).resume();
    await once(client, 'connect');
    clients.push(client);
  }
  await dropped;
  const count = await new Promise((resolve) =>
    server.getConnections((_, number) => resolve(number)),
  );
  log('connections', count);
  await Promise.all(clients.map(closed));
  await closeServer(server);
});

sameAsNode(t, 'pauseOnConnect', async ({ net: module, log }) => {
  const { client, peer, close } = await connectedPair(module, { server: { pauseOnConnect: true } });
  client.write('early');
  await delay(50);
  log(peer.isPaused(), peer.bytesRead, peer.readableFlowing);
  peer.resume();
  const [chunk] = (await once(peer, 'data')) as [Buffer];
  log(String(chunk));
  await close();
});

sameAsNode(t, 'what a socket knows of its server', async ({ net: module, log }) => {
  const { server, peer, client, close } = await connectedPair(module, {
    server: { allowHalfOpen: true, highWaterMark: 1234 },
  });
  const accepted = peer as unknown as { server: unknown; _server: unknown };
  log(accepted.server === server, accepted._server === server, peer.allowHalfOpen);
  log(peer.readableHighWaterMark, peer.writableHighWaterMark, client.allowHalfOpen);
  log((client as unknown as { server: unknown }).server);
  await close();
});

sameAsNode(t, 'listening', async ({ net: module, log }) => {
  const server = module.createServer();
  log(server.listening, server.address());
  const done = new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  log('not in the same tick', server.listening);
  await done;
  const address = server.address() as nodeModule.AddressInfo;
  log(Object.keys(address), address.address, address.family, typeof address.port);
  log((server as unknown as { _connectionKey: string })._connectionKey);
  await closeServer(server);
  log(server.listening, server.address());
  await listen(server);
  log('again', server.listening);
  await closeServer(server);
});

sameAsNode(t, 'closed before it could say that it listens', async ({ net: module, watch }) => {
  const server = module.createServer();
  watch('server', server, ['listening', 'close']);
  server.listen(0, '127.0.0.1');
  server.close();
  await closing(server);
});

t.test('instanceof, both ways and without new', async (test) => {
  const { client, peer, server, close } = await connectedPair(net);
  for (const socket of [client, peer, new net.Socket()]) {
    test.ok(socket instanceof net.Socket);
    test.ok(socket instanceof nodeModule.Socket);
  }
  test.ok(server instanceof net.Server);
  test.ok(server instanceof nodeModule.Server);
  test.notOk({} instanceof net.Socket);
  const withoutNew = net.Socket as unknown as () => nodeModule.Socket;
  test.ok(withoutNew() instanceof net.Socket);
  const server2 = (net.Server as unknown as () => nodeModule.Server)();
  test.ok(server2 instanceof net.Server);
  class Mine extends net.Socket {}
  const mine = new Mine();
  test.ok(mine instanceof Mine && mine instanceof net.Socket);
  test.notOk(client instanceof Mine);
  await close();
});

t.test('subclasses made with class and with util.inherits', async (test) => {
  const { inherits } = await import('node:util');
  class Classy extends net.Socket {
    own = 'classy';
  }
  function Legacy(this: nodeModule.Socket): void {
    (net.Socket as unknown as (this: nodeModule.Socket) => void).call(this);
  }
  inherits(Legacy, net.Socket);
  const server = net.createServer((socket) => socket.end('hello'));
  const port = await listen(server);
  for (const Kind of [Classy, Legacy as unknown as typeof Classy]) {
    const socket = new Kind();
    socket.connect(port, '127.0.0.1');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    test.equal(String(chunk), 'hello');
    await closed(socket);
  }
  await closeServer(server);
});

t.test('the exports are those of node:net', async (test) => {
  const ours = net as unknown as Record<string, unknown>;
  const own = ['Socket', 'Stream', 'Server', 'connect', 'createConnection', 'createServer'];
  for (const [name, value] of Object.entries(nodeModule)) {
    if (name === 'default') continue; // added by the interop of import
    if (own.includes(name)) test.equal(typeof ours[name], typeof value, name);
    else test.equal(ours[name], value, name);
  }
  test.equal(ours.Stream, ours.Socket);
  test.equal(ours.connect, ours.createConnection);
});

t.test('blockList of a server', async (test) => {
  const blockList = new net.BlockList();
  blockList.addAddress('127.0.0.1');
  const server = net.createServer({ blockList } as nodeModule.ServerOpts);
  const blocks = 'blockList' in server;
  if (!blocks) return;
  server.on('connection', () => test.fail('blocked'));
  const port = await listen(server);
  const client = net.connect(port, '127.0.0.1');
  quiet(client).resume();
  await closing(client);
  await closeServer(server);
});

t.test('diagnostics channels tell of sockets and listeners', async (test) => {
  const { channel, tracingChannel } = await import('node:diagnostics_channel');
  const seen: string[] = [];
  const note = (name: string) => (): void => void seen.push(name);
  const onClient = note('client');
  const onServer = note('server');
  channel('net.client.socket').subscribe(onClient);
  channel('net.server.socket').subscribe(onServer);
  const listenEvents = {
    start: () => {},
    end: () => {},
    asyncStart: note('listen start'),
    asyncEnd: note('listen end'),
    error: note('listen error'),
  };
  tracingChannel('net.server.listen').subscribe(listenEvents);
  const { port, close } = await connectedPair(net);
  const second = net.createServer();
  second.listen(port, '127.0.0.1');
  await once(second, 'error');
  await close();
  tracingChannel('net.server.listen').unsubscribe(listenEvents);
  channel('net.client.socket').unsubscribe(onClient);
  channel('net.server.socket').unsubscribe(onServer);
  const hasTracing = seen.includes('listen start');
  test.ok(seen.includes('client') && seen.includes('server'));
  if (hasTracing) test.ok(seen.includes('listen end') && seen.includes('listen error'));
});

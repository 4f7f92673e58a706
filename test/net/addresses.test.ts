import t from 'tap';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { closing, quiet, closeServer, connectedPair, listen } from '../support/sockets';

for (const host of ['127.0.0.1', '::1', 'localhost']) {
  sameAsNode(t, `addresses of a connection to ${host}`, async ({ net: module, log }) => {
    const server = module.createServer();
    const port = await listen(server, host);
    const client = module.connect(port, host);
    const [peer] = (await once(server, 'connection')) as [nodeNet.Socket];
    if (client.connecting) await once(client, 'connect');
    log(client.remoteAddress, client.remoteFamily, client.remotePort === port);
    log(client.localAddress, client.localFamily, client.localPort === peer.remotePort);
    log(peer.remoteAddress, peer.remoteFamily, peer.localAddress, peer.localPort === port);
    log(Object.keys(client.address()), Object.keys(peer.address()));
    void closing(peer);
    client.destroy();
    peer.resume();
    await closing(client);
    log('closed', client.remoteAddress, client.localAddress, client.address());
    await closing(peer);
    log(peer.remoteAddress, peer.localAddress);
    await closeServer(server);
  });
}

sameAsNode(t, 'any address takes both families', async ({ net: module, log }) => {
  const server = module.createServer((socket) => socket.end());
  server.listen(0);
  await once(server, 'listening');
  const { address, family, port } = server.address() as nodeNet.AddressInfo;
  log(address, family);
  for (const host of ['127.0.0.1', '::1']) {
    const client = module.connect(port, host);
    client.resume();
    await once(client, 'connect');
    log(client.remoteAddress);
    await closing(client);
  }
  await closeServer(server);
});

sameAsNode(t, 'ipv6Only', async ({ net: module, log }) => {
  const server = module.createServer((socket) => socket.end());
  server.listen({ port: 0, host: '::', ipv6Only: true });
  await once(server, 'listening');
  const { port } = server.address() as nodeNet.AddressInfo;
  const client = module.connect(port, '127.0.0.1');
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  log(error.code);
  await closeServer(server);
});

sameAsNode(t, 'before there is a connection', async ({ net: module, log }) => {
  const socket = new module.Socket();
  log(socket.address(), socket.remoteAddress, socket.localPort, socket.pending, socket.readyState);
  log(socket.bytesRead, socket.bytesWritten, socket.bufferSize, socket.connecting);
});

sameAsNode(t, 'localAddress and localPort', async ({ net: module, log }) => {
  const server = module.createServer(quiet);
  const port = await listen(server);
  const free = module.createServer();
  const localPort = await listen(free);
  await closeServer(free);
  const client = module.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort });
  await once(client, 'connect');
  log(client.localAddress, client.localPort === localPort);
  client.resetAndDestroy();
  await closing(client);
  await closeServer(server);
});

t.test('setNoDelay, setKeepAlive, ref and unref return the socket', async (test) => {
  const { client, peer, close } = await connectedPair(net, {
    server: { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 },
    client: { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 },
  });
  for (const socket of [client, peer, new net.Socket()]) {
    test.equal(socket.setNoDelay(), socket);
    test.equal(socket.setNoDelay(false), socket);
    test.equal(socket.setKeepAlive(true, 2000), socket);
    test.equal(socket.setKeepAlive(false), socket);
    test.equal(socket.unref(), socket);
    test.equal(socket.ref(), socket);
  }
  await close();
});

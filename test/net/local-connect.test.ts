import t from 'tap';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { sameAsNode } from '../support/compare';
import { listenAt, localPair, localPath, onWindows } from '../support/local';
import { closing, closeServer, quiet } from '../support/sockets';

const path = localPath();
const attempts = ['connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout'];

sameAsNode(t, 'nobody is there', async ({ net: module, log, watch }) => {
  const client = module.connect(path);
  log(client.connecting, client.pending, client.readyState);
  watch('client', client, [...attempts, 'lookup', 'connect', 'error', 'close']);
  await closing(client);
});

sameAsNode(t, 'events of a connect', async ({ net: module, log, watch }) => {
  const server = module.createServer((socket) => socket.resume());
  await listenAt(server, path);
  const client = new module.Socket();
  watch('client', client, [...attempts, 'lookup', 'connect', 'ready', 'end', 'error', 'close']);
  client.connect({ path }, () => log('callback'));
  log(client.connecting, client.pending, client.readyState);
  await once(client, 'ready');
  log(client.connecting, client.pending, client.readyState);
  client.end('bye');
  await closing(client);
  await closeServer(server);
});

sameAsNode(t, 'addresses', async ({ net: module, log }) => {
  const { client, peer, close } = await localPair(module, path);
  for (const socket of [client, peer]) {
    log(socket.remoteAddress, socket.remoteFamily, socket.remotePort);
    log(socket.localAddress, socket.localFamily, socket.localPort);
    log(socket.address());
  }
  await close();
});

sameAsNode(t, 'options that are for TCP change nothing', async ({ net: module, log }) => {
  const { client, peer, close } = await localPair(module, path, {
    server: { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 },
    client: { noDelay: true, keepAlive: true },
  });
  // A look at the handle changes who is asked.
  for (const socket of [client, peer]) void (socket as unknown as { _handle: object })._handle;
  log(client.setNoDelay() === client, client.setKeepAlive(true, 1000) === client);
  client.write('works');
  log(String((await once(peer, 'data'))[0]));
  await close();
});

sameAsNode(t, 'resetAndDestroy is not for paths', async ({ net: module, log }) => {
  const { client, close } = await localPair(module, path);
  try {
    client.resetAndDestroy();
  } catch (error) {
    log(error);
  }
  log(client.destroyed);
  await close();
});

sameAsNode(t, 'a path that is no string', ({ net: module, log }) => {
  for (const each of [123, {}, [], true, () => {}]) {
    const client = quiet(new module.Socket());
    try {
      client.connect({ path: each as never });
    } catch (error) {
      log(error);
    }
    client.destroy();
  }
  return Promise.resolve();
});

sameAsNode(t, 'destroyed while it connects', async ({ net: module, watch }) => {
  const server = module.createServer((socket) => quiet(socket).resume());
  await listenAt(server, path);
  const client = module.connect(path);
  watch('client', client, ['connect', 'error', 'close']);
  client.destroy();
  await closing(client);
  await closeServer(server);
});

sameAsNode(t, 'destroyed by a listener of the attempt', async ({ net: module, watch }) => {
  const client = module.connect(localPath());
  watch('client', client, ['connect', 'close']);
  quiet(client).once('connectionAttemptFailed', () => client.destroy());
  await closing(client);
});

sameAsNode(t, 'written before it is connected', async ({ net: module, log }) => {
  const server = module.createServer();
  const accepted = once(server, 'connection');
  await listenAt(server, path);
  const client = module.connect(path);
  const closed = closing(client);
  client.write('one ', () => log('written'));
  client.write('two ');
  client.end('three');
  log(client.bytesWritten, client.writableLength);
  const [peer] = (await accepted) as [net.Socket];
  let text = '';
  for await (const chunk of peer.setEncoding('utf8')) text += chunk as string;
  await closed;
  await closeServer(server);
  return [text, client.bytesWritten, peer.bytesRead];
});

sameAsNode(t, 'one socket, a port and a path in turn', async ({ net: module, log }) => {
  const server = module.createServer((socket) => socket.end('hello'));
  await listenAt(server, path);
  const tcp = module.createServer((socket) => socket.end('hello'));
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as net.AddressInfo;
  const socket = new module.Socket();
  for (const options of [{ path }, { port, host: '127.0.0.1' }, { path }]) {
    socket.connect(options);
    await once(socket, 'data');
    log('path' in options, socket.remoteFamily);
    await once(socket, 'close');
  }
  await closeServer(server);
  await closeServer(tcp);
});

t.test('they run on the core', async (test) => {
  if (engine.backend === 'node') return;
  const before = engine.stats().operations;
  const { close } = await localPair(net, path);
  const { connect, accept } = engine.stats().operations;
  test.equal(connect?.completed, (before.connect?.completed ?? 0) + 1);
  test.equal(accept?.completed, (before.accept?.completed ?? 0) + 1);
  await close();
});

const files = { skip: onWindows && 'what a file is to a pipe depends on the system' };

t.test('a path that is no socket', files, async (test) => {
  const module = await import('node:net');
  const file = join(tmpdir(), `iocp-net-${process.pid}-file`);
  writeFileSync(file, 'not a socket');
  const long = join(tmpdir(), 'y'.repeat(200));
  try {
    const paths = [file, tmpdir(), join(file, 'below'), long];
    // Older versions of Node end a path at a NUL. To refuse it is right.
    if (Number(process.versions.node.split('.')[0]) >= 24) paths.push('a\0b');
    for (const each of paths) {
      const [ours, nodes] = await Promise.all(
        [net, module].map(async (each_) => {
          const [error] = (await once(each_.connect(each), 'error')) as [Error];
          return [error.message, { ...error }];
        }),
      );
      test.strictSame(ours, nodes, each);
    }
  } finally {
    rmSync(file);
  }
});

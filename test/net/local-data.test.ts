import t from 'tap';
import { once } from 'node:events';
import * as nodeHttp from 'node:http';
import * as http from 'iocp-net/http';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { sameAsNode } from '../support/compare';
import { listenAt, localPair, localPath, onWindows } from '../support/local';
import { closing, closeServer, delay, pattern, readAll } from '../support/sockets';

const path = localPath();
const events = ['end', 'finish', 'close', 'error', 'timeout'];

t.test('what is sent comes back, in sizes from 0 bytes to 4 MiB', async (test) => {
  const server = net.createServer((socket) => socket.pipe(socket));
  await listenAt(server, path);
  const sizes = [0, 1, 2, 511, 512, 513, 4096, 16_384, 16_385, 65_536, 1 << 18, (1 << 22) + 7];
  const client = net.connect(path);
  const sent = Buffer.concat(sizes.map(pattern));
  for (const size of sizes) client.write(pattern(size));
  // Not end(): where pipes stand for sockets, the echo would end with it.
  const received: Buffer[] = [];
  let length = 0;
  for await (const chunk of client) {
    received.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length === sent.length) break;
  }
  test.ok(Buffer.concat(received).equals(sent));
  test.equal(client.bytesRead, sent.length);
  test.equal(client.bytesWritten, sent.length);
  await closing(client);
  await closeServer(server);
});

t.test('what is written has left when write() returns', async (test) => {
  const { client, peer, server } = await localPair(net, path);
  peer.resume();
  for (const size of [100, 5000, 40_000]) {
    let left = 0;
    // While the port's helper drives, it is the helper that sends; then again.
    for (let attempt = 0; attempt < 20 && left !== size; attempt++) {
      await delay(5); // out of every callback of ours
      const before = engine.stats().bytesSent;
      client.write(pattern(size));
      left = engine.stats().bytesSent - before;
    }
    test.equal(left, size);
  }
  client.destroy();
  peer.destroy();
  await Promise.all([closing(client), closing(peer)]);
  await closeServer(server);
});

t.test('a peer that does not read holds the writer up, and then gets everything', async (test) => {
  const { client, peer, server } = await localPair(net, path);
  const bytes = pattern(8 << 20);
  peer.pause();
  let written = false;
  test.equal(
    client.write(bytes, () => (written = true)),
    false,
  );
  client.end();
  await delay(50);
  test.notOk(written, 'more than a socket buffers');
  test.ok((await readAll(peer)).equals(bytes));
  test.ok(written);
  await Promise.all([closing(client), closing(peer)]);
  await closeServer(server);
});

sameAsNode(t, 'an end on each side', async ({ net: module, watch, log }) => {
  const { client, peer, server } = await localPair(module, path);
  watch('client', client, events);
  watch('peer', peer, events);
  client.resume();
  const received = readAll(peer);
  client.end('question');
  log(String(await received));
  await Promise.all([closing(client), closing(peer)]);
  await closeServer(server);
});

// A pipe has no half-close: the first end ends both sides, after a while without data.
sameAsNode(t, 'the answer after an end', async ({ net: module, watch }) => {
  const server = module.createServer({ allowHalfOpen: true });
  const over = new Promise<unknown>((resolve) => {
    server.once('connection', (socket) => resolve(closing(socket)));
  });
  server.on('connection', (socket) => {
    watch('server', socket, ['error']);
    socket.once('data', () => socket.end('answer'));
  });
  await listenAt(server, path);
  const client = module.connect(path);
  client.end('question');
  const answer = String(await readAll(client));
  await over;
  await closeServer(server);
  return answer;
});

const halfOpen = { skip: onWindows && 'pipes have no half-close' };

t.test('half open for as long as one likes', halfOpen, async (test) => {
  const { client, peer, server } = await localPair(net, path, {
    server: { allowHalfOpen: true },
  });
  const answer = readAll(client);
  peer.resume();
  client.end();
  await once(peer, 'end');
  await delay(150);
  peer.end('late');
  test.equal(String(await answer), 'late');
  await Promise.all([closing(client), closing(peer)]);
  await closeServer(server);
});

sameAsNode(t, 'destroyed by one side', async ({ net: module, watch }) => {
  const { client, peer, server } = await localPair(module, path);
  watch('peer', peer, ['end', 'close', 'error']);
  peer.resume();
  client.destroy();
  await Promise.all([closing(client), closing(peer)]);
  await closeServer(server);
  return [client.readyState, peer.readyState];
});

sameAsNode(t, 'writing to a peer that is gone', async ({ net: module, log }) => {
  const { client, peer, server } = await localPair(module, path, {
    client: { allowHalfOpen: true },
  });
  client.resume();
  peer.destroy();
  await once(client, 'end');
  const failed = once(client, 'error') as Promise<[NodeJS.ErrnoException]>;
  client.write('too late');
  const [{ code, syscall, message }] = await failed;
  log(code, syscall, message);
  await closing(client);
  await closeServer(server);
});

sameAsNode(t, 'a timeout', async ({ net: module, log }) => {
  const { client, close } = await localPair(module, path);
  client.setTimeout(30);
  await once(client, 'timeout');
  log(client.timeout, client.destroyed);
  await close();
});

sameAsNode(t, 'onread', async ({ net: module, log }) => {
  const server = module.createServer((socket) => socket.end('0123456789'));
  await listenAt(server, path);
  const seen: string[] = [];
  const client = module.connect({
    path,
    onread: {
      buffer: Buffer.alloc(4),
      callback: (length, buffer) => {
        seen.push(String(Buffer.from(buffer).subarray(0, length)));
        return true;
      },
    },
  });
  await closing(client);
  log(seen.join(''), client.bytesRead);
  await closeServer(server);
});

t.test('http over a path, with keep-alive', async (test) => {
  const server = http.createServer((request, response) => {
    request.on('data', () => {}).on('end', () => response.end(`you asked for ${request.url}`));
  });
  await listenAt(server, path);
  const agent = new nodeHttp.Agent({ keepAlive: true, maxSockets: 1 });
  for (const url of ['/one', '/two', '/three']) {
    const request = nodeHttp.request({ socketPath: path, path: url, method: 'POST', agent });
    request.end('body');
    const [response] = (await once(request, 'response')) as [nodeHttp.IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk as string;
    test.equal(body, `you asked for ${url}`);
  }
  agent.destroy();
  await new Promise((resolve) => server.close(resolve));
});

t.test('a large write to a pipe is one message', { skip: !onWindows }, async (test) => {
  const { client, peer, close } = await localPair(net, path);
  const sends = (): number => engine.stats().operations.send?.submitted ?? 0;
  const before = sends();
  peer.resume();
  await new Promise((resolve) => client.write(pattern(1 << 20), resolve));
  test.equal(sends() - before, 1);
  await close();
});

t.test('ours and node:net understand each other', async (test) => {
  const module = await import('node:net');
  for (const [here, there] of [
    [net, module],
    [module, net],
  ] as const) {
    const server = here.createServer((socket) => socket.pipe(socket));
    await listenAt(server, path);
    const client = there.connect(path);
    const bytes = pattern(300_000);
    client.write(bytes);
    const received: Buffer[] = [];
    for await (const chunk of client) {
      received.push(chunk as Buffer);
      if (Buffer.concat(received).length === bytes.length) break;
    }
    test.ok(Buffer.concat(received).equals(bytes));
    await closing(client);
    await closeServer(server);
  }
});

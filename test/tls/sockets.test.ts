import t from 'tap';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import * as net from 'iocp-net';
import { certificate } from '../support/certificate';
import { closed, closeServer, closing, listen, pattern, readAll } from '../support/sockets';

t.test('TLS over a connected socket', async (test) => {
  const server = tls.createServer(certificate, (socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const raw = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(raw, 'connect');
  const secure = tls.connect({ socket: raw, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  const bytes = pattern(1 << 20);
  const received = readAll(secure);
  secure.end(bytes);
  test.ok((await received).equals(bytes));
  await closing(raw);
  await closeServer(server);
});

t.test('TLS over a socket that still connects', async (test) => {
  const server = tls.createServer(certificate, (socket) => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const raw = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const secure = tls.connect({ socket: raw, rejectUnauthorized: false });
  test.equal(String(await readAll(secure)), 'hello');
  await closed(secure);
  await closeServer(server);
});

t.test('TLS over an accepted socket', async (test) => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
    secure.pipe(secure);
  });
  const port = await listen(server);
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const bytes = pattern(1 << 20);
  const received = readAll(client);
  client.end(bytes);
  test.ok((await received).equals(bytes));
  await closeServer(server);
});

t.test('TLS over an accepted socket whose client ends first', async (test) => {
  const server = net.createServer((socket) => {
    const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
    secure.on('data', (chunk: Buffer) => void chunk);
    secure.on('end', () => secure.end('the last word'));
  });
  const port = await listen(server);
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
  const client = tls.connect(options);
  const received = readAll(client);
  client.end('done');
  test.equal(String(await received), 'the last word');
  await closeServer(server);
});

t.test('TLS within TLS', async (test) => {
  const inner = tls.createServer(certificate, (socket) => socket.pipe(socket));
  inner.listen(0, '127.0.0.1');
  await once(inner, 'listening');
  const { port } = inner.address() as AddressInfo;
  const proxy = net.createServer((socket) => {
    const outer = new tls.TLSSocket(socket, { isServer: true, ...certificate });
    const onward = net.connect(port, '127.0.0.1');
    outer.pipe(onward).pipe(outer);
  });
  const raw = net.connect(await listen(proxy), '127.0.0.1');
  const outer = tls.connect({ socket: raw, rejectUnauthorized: false });
  const secure = tls.connect({ socket: outer, rejectUnauthorized: false });
  const bytes = pattern(300_000);
  secure.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of secure) {
    chunks.push(chunk as Buffer);
    if (Buffer.concat(chunks).length === bytes.length) break;
  }
  test.ok(Buffer.concat(chunks).equals(bytes));
  await Promise.all([closed(secure), closed(outer), closed(raw)]);
  await closeServer(proxy);
  await closeServer(inner);
});

t.test('a connection that is reset under TLS', async (test) => {
  const server = net.createServer((socket) => {
    const secure = new tls.TLSSocket(socket, { isServer: true, ...certificate });
    secure.on('secure', () => secure.once('data', () => socket.resetAndDestroy()));
  });
  const raw = net.connect(await listen(server), '127.0.0.1');
  const secure = tls.connect({ socket: raw, rejectUnauthorized: false });
  secure.write('x');
  const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException];
  test.equal(error.code, 'ECONNRESET');
  await Promise.all([closed(secure), closing(raw)]);
  await closeServer(server);
});

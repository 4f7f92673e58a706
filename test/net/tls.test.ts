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

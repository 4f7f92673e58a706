/** Limits of TLS servers: they hold for the socket, whoever serves its connection. */
import t from 'tap';
import { once } from 'node:events';
import * as nodeTls from 'node:tls';
import * as net from 'iocp-net';
import type { DropArgument, ServerLimits } from 'iocp-net';
import { engine } from 'iocp-net/engine';
import * as https from 'iocp-net/https';
import * as tls from 'iocp-net/tls';
import { certificate } from '../support/certificate';
import { closed, closeServer, closing, delay, listen, quiet } from '../support/sockets';

interface Secure {
  server: tls.Server;
  port: number;
  drops: (string | undefined)[];
  errors: (string | undefined)[];
  secured: tls.TLSSocket[];
}

async function secureServer(limits: ServerLimits): Promise<Secure> {
  const [drops, errors]: [Secure['drops'], Secure['errors']] = [[], []];
  const secured: tls.TLSSocket[] = [];
  const server = tls.createServer({ ...certificate, limits }, (socket) => {
    secured.push(socket);
    socket.on('error', (error: Error & { limit?: string }) => errors.push(error.limit));
    socket.resume();
  });
  server.on('drop', (data) => drops.push((data as DropArgument).reason));
  return { server, port: await listen(server), drops, errors, secured };
}

async function secureClient(port: number): Promise<nodeTls.TLSSocket> {
  const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  void closing(quiet(client));
  await once(client, 'secureConnect');
  return client;
}

t.test('who does not begin its handshake in time', async (test) => {
  const { server, port, drops } = await secureServer({ firstByteMs: 150 });
  const told = once(server, 'tlsClientError');
  const client = quiet(net.connect(port, '127.0.0.1'));
  client.resume();
  await closing(client);
  test.strictSame(drops, ['firstByteMs']);
  const [error] = (await told) as [NodeJS.ErrnoException & { limit?: string }];
  test.ok(error.code === 'ERR_IOCP_NET_LIMIT' || error.code === 'ECONNRESET', String(error.code));
  await closeServer(server);
});

t.test('who falls silent', async (test) => {
  const { server, port, drops, errors } = await secureServer({ idleMs: 200, firstByteMs: 5000 });
  const client = await secureClient(port);
  client.resume();
  for (let each = 0; each < 10; each++) {
    client.write('x');
    await delay(50);
  }
  test.strictSame(drops, [], 'not as long as it talks');
  await closing(client);
  test.strictSame(drops, ['idleMs']);
  test.strictSame(errors, ['idleMs']);
  await closeServer(server);
});

// Where Node serves, nobody learns of the TLS socket above a connection.
const skip = engine.backend === 'node';

t.test('who does not read', { skip }, async (test) => {
  const limits = { queuedBytes: 1024 * 1024 };
  const { server, port, drops, errors, secured } = await secureServer(limits);
  const client = await secureClient(port);
  client.pause();
  while (secured.length === 0) await delay(1);
  const [socket] = secured;
  for (let each = 0; each < 2000 && socket?.destroyed === false; each++) {
    socket.write(Buffer.alloc(64 * 1024));
    if (each % 16 === 0) await delay(1);
  }
  test.equal(socket?.destroyed, true);
  await delay(20);
  test.strictSame(drops, ['queuedBytes']);
  test.strictSame(errors, ['queuedBytes']);
  await closed(client);
  await closeServer(server);
});

t.test('connections are counted until they end', async (test) => {
  const server = https.createServer({ ...certificate, limits: { connectionsPerAddress: 1 } });
  const drops: (string | undefined)[] = [];
  server.on('drop', (data) => drops.push((data as DropArgument).reason));
  const port = await listen(server);
  const first = await secureClient(port);
  const second = quiet(net.connect(port, '127.0.0.1'));
  second.resume();
  await closing(second);
  test.strictSame(drops, ['connectionsPerAddress']);
  await closed(first);
  await delay(100);
  await closed(await secureClient(port));
  test.equal(drops.length, 1);
  await closeServer(server);
});

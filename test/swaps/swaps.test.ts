/** `iocp-net/http`, `https`, `http2`, `tls`, `promises`: Node's modules, on the core by one import. */
import t from 'tap';
import type { Test } from 'tap';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import * as nodeHttp from 'node:http';
import { engine } from 'iocp-net/engine';
import * as http from 'iocp-net/http';
import * as http2 from 'iocp-net/http2';
import * as https from 'iocp-net/https';
import * as netPromises from 'iocp-net/promises';
import * as tls from 'iocp-net/tls';
import { certificate } from '../support/certificate';
import { closed, closeServer, readAll, unusedPort } from '../support/sockets';
import * as net from 'iocp-net';

const host = '127.0.0.1';
const insecure = { rejectUnauthorized: false };

/** Connections accepted and opened on the core so far. */
function counted(): [accepted: number, opened: number] {
  const { accept, connect } = engine.stats().operations as Record<
    string,
    { completed: number } | undefined
  >;
  return [accept?.completed ?? 0, connect?.completed ?? 0];
}

const isNodes = engine.backend === 'node';

/** What a TLS client opens on the core: elsewhere it has Node's own handle. */
const tlsOpens = process.platform === 'win32' ? 1 : 0;

/** A test in which one connection is accepted on the core, and so many are opened there. */
function onCore(name: string, run: (test: Test) => Promise<void>, opens = 1): void {
  t.test(name, async (test) => {
    const [accepted, opened] = counted();
    await run(test);
    const expected = isNodes ? [0, 0] : [accepted + 1, opened + opens];
    test.strictSame(counted(), expected);
  });
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function textOf(request: nodeHttp.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [nodeHttp.IncomingMessage];
  return String(await readAll(response as unknown as Socket));
}

const hello: nodeHttp.RequestListener = (_request, response) => void response.end('hello');

onCore('http', async (test) => {
  const server = http.createServer(hello);
  const port = await portOf(server);
  const agent = new http.Agent();
  test.equal(await textOf(http.get({ host, port, agent })), 'hello');
  agent.destroy();
  await closeServer(server);
});

onCore('http with the global agent, by URL', async (test) => {
  const server = http.createServer(hello);
  const url = `http://${host}:${await portOf(server)}`;
  test.equal(await textOf(http.get(url, { headers: { connection: 'close' } })), 'hello');
  await closeServer(server);
});

onCore('http without an agent', async (test) => {
  const server = http.createServer(hello);
  const port = await portOf(server);
  test.equal(await textOf(http.get({ host, port, agent: false })), 'hello');
  await closeServer(server);
});

onCore(
  'https',
  async (test) => {
    const server = https.createServer(certificate, hello);
    const port = await portOf(server);
    const request = https.request({ host, port, agent: false, ...insecure });
    request.end();
    test.equal(await textOf(request), 'hello');
    await closeServer(server);
  },
  tlsOpens,
);

onCore(
  'tls',
  async (test) => {
    const server = tls.createServer(certificate, (socket) => socket.end('hello'));
    const client = tls.connect({ host, port: await portOf(server), ...insecure });
    test.equal(String(await readAll(client)), 'hello');
    await closed(client);
    await closeServer(server);
  },
  tlsOpens,
);

async function ask(session: http2.ClientHttp2Session): Promise<string> {
  const text = String(await readAll(session.request() as unknown as Socket));
  session.close();
  await once(session, 'close');
  return text;
}

const answer = (_request: unknown, response: http2.Http2ServerResponse): void => {
  response.end('hello');
};

onCore('http2 in the clear', async (test) => {
  const server = http2.createServer(answer);
  const session = http2.connect(`http://${host}:${await portOf(server)}`);
  test.equal(await ask(session), 'hello');
  await closeServer(server);
});

onCore(
  'http2 over TLS',
  async (test) => {
    const server = http2.createSecureServer(certificate, answer);
    const session = http2.connect(`https://${host}:${await portOf(server)}`, insecure);
    test.equal(await ask(session), 'hello');
    await closeServer(server);
  },
  tlsOpens,
);

onCore('promises', async (test) => {
  const server = await netPromises.listen({
    host,
    connectionListener: (socket) => socket.end('hello'),
  });
  const socket = await netPromises.connect((server.address() as AddressInfo).port, host);
  test.equal(String(await readAll(socket)), 'hello');
  await closed(socket);
  await closeServer(server);
});

t.test('promises that do not come true', async (test) => {
  const port = await unusedPort(net);
  await test.rejects(netPromises.connect(port, host), { code: 'ECONNREFUSED' });
  const server = await netPromises.listen({ host });
  const { port: taken } = server.address() as AddressInfo;
  await test.rejects(netPromises.listen({ host, port: taken }), { code: 'EADDRINUSE' });
  await closeServer(server);
  const signal = AbortSignal.abort();
  await test.rejects(netPromises.connect({ port, host, signal }), { name: 'AbortError' });
  const controller = new AbortController();
  const waiting = netPromises.listen({ host, signal: controller.signal });
  controller.abort();
  await test.rejects(waiting, { name: 'AbortError' });
});

t.test('every name of the Node counterpart, for require and import', async (test) => {
  for (const name of ['net', 'http', 'https', 'http2', 'tls'] as const) {
    const entry = name === 'net' ? 'iocp-net' : `iocp-net/${name}`;
    const builtin = Object.keys(process.getBuiltinModule(name));
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const required = require(entry) as object;
    const imported = (await import(entry)) as object;
    const missing = builtin.filter((each) => !(each in required) || !(each in imported));
    test.strictSame(missing, [], name);
  }
});

t.test('classes are also those of Node', (test) => {
  test.ok(new http.Agent() instanceof nodeHttp.Agent);
  test.ok(http.globalAgent instanceof http.Agent);
  test.ok(https.globalAgent instanceof https.Agent);
  test.ok(https.createServer(certificate) instanceof https.Server);
  test.end();
});

t.test('a setting of tls is one for both', (test) => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const ours = require('iocp-net/tls') as { DEFAULT_MIN_VERSION: string };
  const builtin = process.getBuiltinModule('tls') as { DEFAULT_MIN_VERSION: string };
  const before = builtin.DEFAULT_MIN_VERSION;
  ours.DEFAULT_MIN_VERSION = 'TLSv1.3';
  test.equal(builtin.DEFAULT_MIN_VERSION, 'TLSv1.3');
  builtin.DEFAULT_MIN_VERSION = before;
  test.equal(ours.DEFAULT_MIN_VERSION, before);
  test.end();
});

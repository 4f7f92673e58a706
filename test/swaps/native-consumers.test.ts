/** Whom native code reads and writes: TLS and HTTP/2 a handle of Node's where there can be one. */
import t from 'tap';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { engine } from 'iocp-net/engine';
import * as http from 'iocp-net/http';
import * as http2 from 'iocp-net/http2';
import * as https from 'iocp-net/https';
import { certificate } from '../support/certificate';
import { closeServer } from '../support/sockets';

const REQUESTS = 20;

/** How often something was received on the core, by either side. */
const received = (): number => engine.stats().operations['receive']?.completed ?? 0;

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

type Response = { toArray(): Promise<unknown> };

async function requests(module: typeof http, options: object): Promise<void> {
  const agent = new module.Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < REQUESTS; i++) {
    const [response] = await once(module.get({ ...options, agent }), 'response');
    await (response as Response).toArray();
  }
  agent.destroy();
}

async function streams(session: http2.ClientHttp2Session): Promise<void> {
  for (let i = 0; i < REQUESTS; i++) await session.request().toArray();
  session.close();
  await once(session, 'close');
}

type Answer = { end(text: string): unknown };
const answer = (_request: unknown, response: Answer): void => void response.end('hello');
const to = { host: '127.0.0.1', rejectUnauthorized: false };

const exchanges = {
  http: async (): Promise<void> => {
    const server = http.createServer(answer);
    await requests(http, { ...to, port: await portOf(server) });
    await closeServer(server);
  },
  https: async (): Promise<void> => {
    const server = https.createServer(certificate, answer);
    await requests(https as unknown as typeof http, { ...to, port: await portOf(server) });
    await closeServer(server);
  },
  http2: async (): Promise<void> => {
    const server = http2.createServer(answer);
    await streams(http2.connect(`http://127.0.0.1:${await portOf(server)}`));
    await closeServer(server);
  },
  'http2 over TLS': async (): Promise<void> => {
    const server = http2.createSecureServer(certificate, answer);
    await streams(http2.connect(`https://127.0.0.1:${await portOf(server)}`, to));
    await closeServer(server);
  },
};

const onCore: Record<string, readonly string[]> = {
  iocp: Object.keys(exchanges),
  epoll: ['http'],
  io_uring: ['http'],
  node: [],
};

for (const [name, exchange] of Object.entries(exchanges)) {
  t.test(name, async (test) => {
    const before = received();
    await exchange();
    const isOnCore = onCore[engine.backend as string]?.includes(name);
    test.equal(received() - before >= REQUESTS, isOnCore);
  });
}

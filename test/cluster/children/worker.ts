/**
 * A worker of a cluster: listens as WORKER_LISTEN says, tells each client who it is, and does what
 * the primary's messages say.
 */
import cluster from 'node:cluster';
import type { ListenOptions, Socket } from 'node:net';
import * as net from 'iocp-net';
import { kConnection } from '#dist/net/node/internals.js';

export interface Answer {
  worker: number;
  /** Whether the connection is on the core. */
  core: boolean;
}

const servers: net.Server[] = [];

function answer(socket: Socket): void {
  const core = Boolean((socket as unknown as Record<symbol, unknown>)[kConnection]);
  socket.on('error', () => {});
  socket.resume();
  socket.end(JSON.stringify({ worker: cluster.worker?.id ?? 0, core } satisfies Answer));
}

function listen(options: ListenOptions): void {
  const server = net.createServer(answer);
  server.on('error', (error: NodeJS.ErrnoException) => {
    process.send?.({ error: { code: error.code, syscall: error.syscall, message: error.message } });
  });
  server.listen(options, () => process.send?.({ listening: server.address() }));
  servers.push(server);
}

/** Two `listen()` in one tick: the second counts. Tells how often 'listening' came, and closes. */
function listenTwice(): void {
  const server = net.createServer();
  let listening = 0;
  let answers = 0;
  server.on('listening', () => listening++);
  process.on('internalMessage' as 'message', (message) => {
    if ((message as { cmd?: unknown }).cmd !== 'NODE_CLUSTER' || ++answers < 2) return;
    setImmediate(() => server.close(() => process.send?.({ listening })));
  });
  server.listen();
  server.listen();
}

/** A server that is closed before the primary has answered. Tells when the primary is told. */
function closeAtOnce(): void {
  const channel = process as unknown as {
    send: (message: { act?: string; told?: string }, ...rest: unknown[]) => boolean;
  };
  const send = channel.send.bind(process);
  channel.send = (message, ...rest) => {
    if (message.act === 'close') setImmediate(() => send({ told: 'close' }));
    return send(message, ...rest);
  };
  net.createServer().listen(0).close();
}

/** Tells, and does nothing for a while. */
function goAway({ awayMs }: { awayMs: number }): void {
  process.send?.('away', () =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, awayMs),
  );
}

process.on('message', (message: unknown) => {
  if (message === 'close') {
    servers.pop()?.close(() => process.send?.('closed'));
  } else if (message === 'disconnect') {
    cluster.worker?.disconnect();
  } else if (Object.hasOwn(message as object, 'awayMs')) {
    goAway(message as { awayMs: number });
  } else {
    listen(message as ListenOptions);
  }
});

const { WORKER_LISTEN, WORKER_LISTEN_TWICE, WORKER_CLOSE_AT_ONCE } = process.env;
if (WORKER_LISTEN_TWICE) listenTwice();
if (WORKER_CLOSE_AT_ONCE) closeAtOnce();
if (WORKER_LISTEN) listen(JSON.parse(WORKER_LISTEN) as ListenOptions);

/** Sockets for tests: listening, pairs of connected sockets, and what comes out of them. */
import { once } from 'node:events';
import type * as nodeNet from 'node:net';

export type Net = typeof nodeNet;

/** Listens on a free port of the loopback address. */
export async function listen(server: nodeNet.Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as nodeNet.AddressInfo).port;
}

export interface Pair {
  server: nodeNet.Server;
  /** The connecting side. */
  client: nodeNet.Socket;
  /** The accepted side. */
  peer: nodeNet.Socket;
  port: number;
  /** Destroys both sides and waits until everything is closed. */
  close: () => Promise<void>;
}

export interface PairOptions {
  server?: nodeNet.ServerOpts;
  client?: Partial<nodeNet.TcpNetConnectOpts>;
}

export async function connectedPair(net: Net, options: PairOptions = {}): Promise<Pair> {
  const server = net.createServer(options.server ?? {});
  const port = await listen(server);
  const accepted = once(server, 'connection');
  const client = net.connect({ port, host: '127.0.0.1', ...options.client });
  const connected = once(client, 'connect');
  const [peer] = (await accepted) as [nodeNet.Socket];
  await connected;
  void closing(client);
  void closing(peer);
  const close = async (): Promise<void> => {
    await Promise.all([closed(client), closed(peer), closeServer(server)]);
  };
  return { server, client, peer, port, close };
}

const closings = new WeakMap<NodeJS.EventEmitter, Promise<void>>();

/**
 * The `'close'` of a socket or server, even if an `'error'` comes before it (`once()` would reject).
 * Ask first while it is open: later calls give the same promise.
 */
export function closing(emitter: NodeJS.EventEmitter): Promise<void> {
  let promise = closings.get(emitter);
  if (promise === undefined) {
    promise = new Promise((resolve) => emitter.once('close', () => resolve()));
    closings.set(emitter, promise);
  }
  return promise;
}

/** Ignores errors: they are not what the test is about. */
export function quiet<Emitter extends NodeJS.EventEmitter>(emitter: Emitter): Emitter {
  return emitter.on('error', () => {});
}

/** Destroys a socket and waits for its `'close'`. */
export async function closed(socket: nodeNet.Socket): Promise<void> {
  const over = closing(socket);
  quiet(socket).destroy();
  await over;
}

export async function closeServer(server: nodeNet.Server): Promise<void> {
  if (!server.listening) return;
  await new Promise((resolve) => server.close(resolve));
}

/** Everything up to the end of a stream, as one buffer. */
export async function readAll(socket: nodeNet.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Bytes that tell where they belong, so that a lost or moved piece shows. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8)) & 0xff;
  return bytes;
}

export const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A port nobody listens on. */
export async function unusedPort(net: Net): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await closeServer(server);
  return port;
}

/** What comes, until it is so many bytes or more. */
export async function receive(socket: nodeNet.Socket, bytes: number): Promise<Buffer> {
  const received: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(received);
}

/**
 * `iocp-net/promises`: connecting, listening and sending files, to be awaited. The shape is that of
 * `node:net/promises`, which the first Node to have it is newer than 26.
 *
 * @packageDocumentation
 */
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import { bare } from './bare';
import {
  connect as connectSocket,
  createServer,
  type ServerOpts,
  type FileSendingSocket,
} from './index';
import { normalizeArguments } from './node/internals';
import type { FileSource, SendFileOptions } from './send-file/options';

export interface ListenOptions extends ServerOpts, Omit<nodeNet.ListenOptions, 'signal'> {
  /** Called for every connection. */
  connectionListener?: ((socket: FileSendingSocket) => void) | undefined;
  /** Gives up waiting, and closes the server. */
  signal?: AbortSignal | undefined;
}

/** Waits for the event; when it does not come, `undo` is called and the promise rejects. */
async function begun(
  emitter: nodeNet.Socket | nodeNet.Server,
  event: string,
  signal: AbortSignal | undefined,
  undo: () => void,
): Promise<void> {
  try {
    await once(emitter, event, bare(signal === undefined ? {} : { signal }));
  } catch (error) {
    undo();
    throw error;
  }
}

interface Abortable {
  signal?: AbortSignal | undefined;
}

/**
 * A connected socket. Takes what `net.connect()` takes, without the listener.
 *
 * Rejects when the connect fails, or when `signal` aborts it; the socket is destroyed then.
 */
export async function connect(...args: unknown[]): Promise<FileSendingSocket> {
  const [{ signal, ...options }] = normalizeArguments<nodeNet.NetConnectOpts & Abortable>(args);
  signal?.throwIfAborted();
  const socket = connectSocket(options as nodeNet.NetConnectOpts);
  await begun(socket, 'connect', signal, () => socket.destroy());
  return socket;
}

/**
 * A listening server; on a free port where the options say nothing else. Takes the options of
 * `net.createServer()` and of `server.listen()`.
 *
 * Rejects when it cannot listen, or when `signal` aborts it; the server is closed then.
 */
export async function listen(options: ListenOptions = {}): Promise<nodeNet.Server> {
  const { connectionListener, signal, ...rest } = options;
  signal?.throwIfAborted();
  const server = createServer(rest, connectionListener);
  const says = bare({ ...rest }) as Record<string, unknown>;
  const isSaid = ['port', 'path', 'fd', 'handle'].some((name) => says[name] !== undefined);
  server.listen(isSaid ? rest : { ...rest, port: 0 });
  await begun(server, 'listening', signal, () => server.close());
  return server;
}

/**
 * `socket.sendFile()` for any socket, also one that is no class of ours: `tls.TLSSocket`, those of
 * Node's `http`, and those of `node:net`.
 */
export async function sendFile(
  socket: nodeNet.Socket,
  file: FileSource,
  options?: SendFileOptions,
): Promise<number> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs send files
  const { sendFile } = require('./send-file/send-file') as typeof import('./send-file/send-file');
  return (await sendFile(socket, file, options)) as number;
}

/**
 * Listening on what exists already: a descriptor, a handle of Node's (from an IPC message, from
 * `server._handle` of `node:net`, or the one that the primary of a cluster shares with its
 * workers), and the connections that a primary hands out one by one.
 */
import type { Adoption, Connection, Transport } from '../../port/contract';
import type { NetServer } from '../node/internals';
import { adoptConnectionOf, isStreamHandle } from '../node/adopt-handle';
import type { NativeHandle } from '../node/native-handle';
import { SharedListener } from './shared-listener';

export interface ExistingListener {
  adoption: Adoption;
  /** The handle of Node's that it came by. */
  native: NativeHandle | null;
  /** What to do when the server closes, for those who share the socket. */
  atEnd: (() => void) | undefined;
}

/** What `_listen2` is to listen on; null where it is not a socket that our core can take over. */
export function existingListener(
  { _handle: handle }: NetServer,
  fd: unknown,
): ExistingListener | null {
  if (handle instanceof SharedListener) {
    return {
      adoption: { handle: handle.handle, duplicate: false },
      native: null,
      atEnd: handle.atEnd,
    };
  }
  if (isStreamHandle(handle)) {
    const adoption = { handle: handle.fd, duplicate: true };
    return { adoption, native: handle, atEnd: undefined };
  }
  // On Windows Node knows no descriptor of a socket.
  if (handle || typeof fd !== 'number' || fd < 0 || process.platform === 'win32') return null;
  return { adoption: { handle: fd, duplicate: false }, native: null, atEnd: undefined };
}

/**
 * After its socket was taken over: closes a handle of Node's, so that libuv no longer watches it.
 * A cluster's is kept to the end, because the primary is told by its `close()`, which the cluster
 * module has replaced, and calls when the worker is to disconnect. Returns what to do at the end.
 */
export function retire(native: NativeHandle, server: NetServer): () => void {
  if (!Object.hasOwn(native, 'close')) {
    native.close();
    return () => {};
  }
  const close = native.close.bind(native);
  native.close = (callback) => void server.close(callback);
  return () => close();
}

/** What the cluster module puts in a worker's place of a handle while the primary accepts. */
interface DistributingHandle {
  onconnection: (this: unknown, error: number, handle: unknown) => void;
}

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

/** Whether the primary of a cluster accepts, and hands connections to this worker in turn. */
export function isDistributed(handle: object | null): handle is DistributingHandle {
  // Node's handles have their descriptor by a getter of their class; this one is plain.
  return handle !== null && isPlain(handle) && Object.hasOwn(handle, 'onconnection');
}

/** Takes over each connection that the primary hands to this worker. */
export function takeDistributed(
  handle: DistributingHandle,
  transport: Transport,
  take: (connection: Connection) => void,
): void {
  const byNode = handle.onconnection;
  handle.onconnection = function (error, client) {
    const isOurs = error === 0 && isStreamHandle(client);
    const connection = isOurs ? adoptConnectionOf(transport, client) : null;
    if (connection === null) byNode.call(this, error, client);
    else take(connection);
  };
}

/**
 * Handles of Node's own that others bring: cluster, IPC messages, `server._handle` of `node:net`.
 * Where a handle says its descriptor (not on Windows), the socket behind it can change sides.
 */
import { isOurHandle } from '../handle/handle-class';
import type { AdoptingTransport, Connection } from '../../port/contract';
import type { NativeHandle } from './native-handle';

function isOfClass(value: unknown, names: readonly string[]): value is NativeHandle {
  if (typeof value !== 'object' || value === null || isOurHandle(value)) return false;
  const { constructor, fd } = value as { constructor?: { name?: string }; fd?: unknown };
  return names.includes(constructor?.name ?? '') && typeof fd === 'number' && fd >= 0;
}

/** Whether it is a handle of Node's, of a TCP socket, that says its descriptor. */
export function isTcpHandle(value: unknown): value is NativeHandle {
  return isOfClass(value, ['TCP']);
}

/** The same, or of a Unix socket. */
export function isStreamHandle(value: unknown): value is NativeHandle {
  return isOfClass(value, ['TCP', 'Pipe']);
}

/**
 * Moves the connection of a handle of Node's to our core, and closes the handle, so that libuv no
 * longer watches it. Null, with nothing changed, where it is not a connected stream socket.
 */
export function adoptConnectionOf(
  transport: AdoptingTransport,
  handle: NativeHandle,
): Connection | null {
  const connection = transport.adoptConnection({ handle: handle.fd, duplicate: true });
  if (typeof connection === 'string') return null;
  handle.close();
  return connection;
}

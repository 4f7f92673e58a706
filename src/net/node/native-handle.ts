/**
 * Handles of Node's own: what cluster, IPC messages and `server._handle` of `node:net` bring, and
 * what `subprocess.send()` wants. Where a handle says its descriptor (not on Windows), the socket
 * behind it can change sides.
 */
import * as nodeNet from 'node:net';
import { isOurHandle } from '../handle/tcp-handle';
import type { AdoptingTransport, Connection } from '../../port/contract';

/** One of Node's native stream handles, as far as we use it. */
export interface NativeHandle {
  readonly fd: number;
  close(callback?: () => void): void;
}

// Taken at load: `iocp-net/register` puts ours in their place later.
const NodeSocket = nodeNet.Socket;
const { _createServerHandle: createServerHandle } = nodeNet as unknown as {
  _createServerHandle(
    address: string | null,
    port: number | null,
    addressType: number | null,
    fd: number | undefined,
    flags?: number,
  ): NativeHandle | number;
};

/** One that is bound and does not listen. */
export interface NativeBoundHandle extends NativeHandle {
  getsockname(out: object): number;
  setTypeOfService?(value: number): number;
  getTypeOfService?(): number;
}

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

/** Node's handle for a connected descriptor, which belongs to it from here. */
export function nativeSocketHandle(fd: number): NativeHandle {
  const carrier = new NodeSocket({ fd, manualStart: true } as nodeNet.SocketConstructorOpts);
  const owner = carrier as unknown as { _handle: NativeHandle | null };
  const handle = owner._handle as NativeHandle;
  owner._handle = null;
  return handle;
}

/** Node's handle for a listening descriptor, which belongs to it from here; or an error number. */
export function nativeServerHandle(fd: number): NativeHandle | number {
  return createServerHandle(null, null, null, fd);
}

/** Node's handle for a TCP address that is bound by this; or an error number. */
export function nativeBoundHandle(
  address: string,
  port: number,
  family: 4 | 6,
  flags: number,
): NativeBoundHandle | number {
  return createServerHandle(address, port, family, undefined, flags) as NativeBoundHandle | number;
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

/** Handles of Node's own that are made here, for what only those can do. */
import * as nodeNet from './node-net';

/**
 * Whether a socket can change sides, to a handle of Node's by a duplicate of its descriptor. On
 * Windows it is bound to the completion port of its process, for life.
 */
export const canChangeSides = process.platform !== 'win32';

/** One of Node's native stream handles, as far as we use it. */
export interface NativeHandle {
  readonly fd: number;
  /** Noted by Node's code, for itself. */
  reading?: boolean;
  readStart(): number;
  getAsyncId(): number;
  unref(): void;
  close(callback?: () => void): void;
}

/** One that is bound and does not listen. */
export interface NativeBoundHandle extends NativeHandle {
  getsockname(out: object): number;
  setTypeOfService?(value: number): number;
  getTypeOfService?(): number;
}

/** Node's handle for a connected descriptor, which belongs to it from here. */
export function nativeSocketHandle(fd: number): NativeHandle {
  const carrier = new nodeNet.Socket({ fd, manualStart: true } as nodeNet.SocketConstructorOpts);
  const owner = carrier as unknown as { _handle: NativeHandle | null };
  const handle = owner._handle as NativeHandle;
  owner._handle = null;
  return handle;
}

/** Node's handle for a listening descriptor, which belongs to it from here; or an error number. */
export function nativeServerHandle(fd: number): NativeHandle | number {
  return nodeNet.createServerHandle(null, null, null, fd) as NativeHandle | number;
}

/** Node's handle for a TCP address that is bound by this; or an error number. */
export function nativeBoundHandle(
  address: string,
  port: number,
  family: 4 | 6,
  flags: number,
): NativeBoundHandle | number {
  return nodeNet.createServerHandle(address, port, family, undefined, flags) as
    NativeBoundHandle | number;
}

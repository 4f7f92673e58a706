/** What a handle of ours has, for the code of this layer: `tcp-handle.ts` makes them. */
import type { Connection, ErrorName } from '../../port/contract';
import type { HandleReader } from './handle-reader';
import type { SocketLink } from '../socket/link';
import type { NativeStream, NativeStreamHooks } from './native-stream';

/** Node's request object for a connect. */
export interface ConnectRequest {
  /** Taken away by whoever no longer wants to know. */
  oncomplete?(
    status: number,
    handle: TcpHandle,
    request: ConnectRequest,
    readable: boolean,
    writable: boolean,
  ): void;
}

export type Callback = () => void;

export enum HandleState {
  Open,
  /** close() was called. */
  Closing,
  Closed,
}

/** As in Node's TCP handles, numbers are 0 or the error's, negative. */
export interface TcpHandle extends NativeStream, NativeStreamHooks {
  /** The socket's side of the connection; null where Node's own code drives the handle. */
  link: SocketLink | null;
  readonly connection: Connection | null;
  readonly reader: HandleReader;
  readonly state: HandleState;
  readonly fd: number;
  readonly reading: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writeQueueSize: number;

  /** The class's methods, by name: others may have put their own in the place of some. */
  readonly ownMethods: Readonly<Record<string, unknown>>;

  /** It was bound, and has not connected yet. */
  readonly isBound: boolean;

  /** What a write gets that finds no connection. */
  readonly writeError: ErrorName;

  /** The socket that it serves, else itself. */
  readonly shownAs: object;

  /** Notes whose handle it is, for Node's own code. */
  serve(socket: object): void;
  /** Becomes the handle of a socket of ours. */
  join(link: SocketLink): void;
  /** Leaves its socket, without closing. */
  leave(): void;
  /** The socket has got this connection. */
  opened(connection: Connection): void;
  /** The answer to `connect()`. */
  connected(error: ErrorName | null): void;
  /** Receiving failed while no socket of ours has the handle. */
  fail(error: ErrorName): void;
  /**
   * Sending failed after the write was answered. True if native code wrote: it is told at its next
   * write, as by a kernel; the end that is near it learns by reading.
   */
  lateWriteError(error: ErrorName): boolean;

  connect(request: ConnectRequest, address: string, port?: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags?: number): number;
  close(callback?: Callback): void;
  reset(callback?: Callback): number;
  /** Absent from handles of local sockets, and where someone took them away. */
  setNoDelay?(enable?: boolean): number;
  setKeepAlive?(enable?: boolean, delay?: number, interval?: number, count?: number): number;
  setTypeOfService(value: number): number;
  getTypeOfService(): number;
  hasPendingRead(): boolean;
  getsockname(out: object): number;
  getpeername(out: object): number;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  getAsyncId(): number;
}

/** A handle is made for a socket, for an accepted connection, or (null) to connect by itself. */
export type TcpHandleClass = new (of: SocketLink | Connection | null) => TcpHandle;

/** What a handle of ours has, for the code of this layer: `socket-handle.ts` has the class. */
import type { AsyncResource } from 'node:async_hooks';
import type { Connection, ErrorName, StreamOwner } from '../../port/contract';
import type { NativeStream, NativeStreamHooks } from './native-stream';

/** Node's request object for a connect. */
export interface ConnectRequest {
  /** Taken away by whoever no longer wants to know. */
  oncomplete?(
    status: number,
    handle: SocketHandle,
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

/** The socket's side of a handle: it owns the connection where nobody else reads it. */
export interface HandleOwner extends StreamOwner {
  readonly socket: object;
  connection: Connection | null;
  refed: boolean;
  /** The async resource for a connection that starts now. */
  takeScope(): AsyncResource | undefined;
  /** The connection ends by the handle. */
  closed(): void;
  /** Parts from handle and connection. */
  release(): void;
}

/** Receiving for whoever consumes a handle's data. */
export interface HandleReceiver {
  /** Makes the handle's last resort ours. */
  receiveUnclaimed(): void;
  /** From now on, native code may be the consumer. */
  takeOver(connection: Connection): void;
}

/** As in Node's TCP handles, numbers are 0 or the error's, negative. */
export interface SocketHandle extends NativeStream, NativeStreamHooks {
  /** Null where Node's own code drives the handle. */
  link: HandleOwner | null;
  readonly connection: Connection | null;
  readonly reader: HandleReceiver;
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
  join(link: HandleOwner): void;
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
  asyncReset(): void;
}

/** A handle is made of an accepted connection, or of nothing: to join a socket, or to connect. */
export type SocketHandleClass = new (accepted: Connection | null) => SocketHandle;

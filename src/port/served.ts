/** What a port knows of those that it serves: it tells them of what has completed. */
import type { AsyncResource } from 'node:async_hooks';
import type { Connection, Listener, ListenerOwner, SocketKind } from './contract';

/** A connection, for its port. */
export interface PortConnection extends Connection {
  readonly id: number;
  readonly kind: SocketKind;
  /** Whether what is received goes into native code, which is to be called in no callback scope. */
  readonly isNative: boolean;
  /** Nobody waits for the completion of a send. */
  readonly isAnswered: boolean;
  /** An accepted connection, when the listener and its ticks are done with it. */
  beginReading(): void;
  completeConnect(result: number): void;
  /** A chunk, the end (0) or an error (negative). */
  completeReceive(result: number, chunk: number, offset: number): void;
  /** Of so many sends. */
  completeSend(result: number, count: number): void;
  completeShutdown(result: number): void;
  /** The port goes on sending what was written, but for the owner it is over. */
  completeLinger(): void;
  completeClose(): void;
  /** What the port owes to it (`Port.owe`). */
  deliverHeld(): void;
}

/** A listener, for its port: the async resource that accepted connections come from, too. */
export interface PortListener extends Listener, AsyncResource {
  readonly id: number;
  readonly kind: SocketKind;
  readonly listening: boolean;
  readonly owner: ListenerOwner;
  completeClose(): void;
}

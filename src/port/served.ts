/** What a port knows of those that it serves: it tells them of what has completed. */
import type { AsyncResource } from 'node:async_hooks';
import type {
  Connection,
  DatagramOwner,
  DatagramSettings,
  DatagramSocket,
  ErrorName,
  Listener,
  ListenerOwner,
  SocketKind,
} from './contract';
import type { ReceivedDatagrams } from './dispatch';
import type { Outbox } from './outbox';
import type { CompletionRing } from './ring';

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
  /** Of so many sends; where they failed, so many bytes of the first were taken. */
  completeSend(result: number, count: number, taken: number): void;
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
  /**
   * Whether it takes a connection that has been accepted. One that is being closed does where others
   * have the socket: had it not been accepted here, one of them would have it.
   */
  readonly takesAccepted: boolean;
  readonly owner: ListenerOwner;
  completeClose(): void;
}

/** The datagram sockets of a port. */
export interface ServedDatagrams extends ReceivedDatagrams {
  readonly outbox: Outbox;
  bind(settings: DatagramSettings, owner: DatagramOwner): DatagramSocket | ErrorName;
  /** This one has something to receive. */
  noteReadable(id: number): void;
  /** Whether this descriptor is one of them. */
  serves(fd: number): boolean;
  /** False where it is of none of them. */
  complete(completion: CompletionRing): boolean;
}

/**
 * What the port layer offers to the `net` layer: connections, listeners, and how to get them.
 *
 * Everything below `src/port` deals in completions and shared memory; everything above it
 * (`src/net`) deals in streams, events and Node's errors. This file is the line between the two.
 * Errors cross it as names (`'ECONNRESET'`); turning them into Node's Error objects is the `net`
 * layer's business.
 */
import type { AsyncResource } from 'node:async_hooks';

/** An error of the operating system by Node's name for it, such as `'ECONNREFUSED'`. */
export type ErrorName = string;

/** A numeric address, as `socket.address()` prints it. */
export interface Endpoint {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** `'local'`: a Unix domain socket, or a named pipe on Windows. It has a path and no endpoints. */
export type SocketKind = 'tcp' | 'local';

/** What an owner says of what it was given: it wants more, no more for now, or it is not the one. */
export type Verdict = boolean | 'unclaimed';

/**
 * What a connection reports; an owner has the methods for what it waits for. Every method is called
 * on the JS thread, outside of any call into the connection, in the async context in which the
 * connection was made; `onConnect` in none, for it is the answer to a request. Between two calls the
 * tick and microtask queues have run, and what a method throws reaches `uncaughtException`, in the
 * same context.
 */
export interface ConnectionOwner {
  /**
   * `onData` and `onEnd` go into native code of Node's, which makes callbacks of its own, each with
   * its context and its ticks. So they are called in none, as libuv would call that code. And the
   * bytes are only lent, for as long as the call lasts.
   */
  readonly isNative?: boolean;
  /** What a program knows the connection by: a socket, or a bare handle. */
  readonly shownAs: object;
  /** The connect ended: `null` when it succeeded. Never called for accepted connections. */
  onConnect?(error: ErrorName | null): void;
  /**
   * Bytes arrived; the buffer is the owner's. False stops reading, as `stopReading()` does. With
   * 'unclaimed' they are given to the owner that has meanwhile been put in its place. Where there
   * is no such method, they are dropped and reading stops.
   */
  onData?(chunk: Buffer): Verdict;
  /** The peer has ended its side (FIN). No more data or read error follows. */
  onEnd?(): Verdict | void;
  /** Receiving failed. No more data follows. */
  onReadError?(error: ErrorName): void;
  /**
   * Sending failed after the write's callback had already been called: small writes are
   * acknowledged as soon as they are copied, as a kernel does with its socket buffer.
   */
  onWriteError?(error: ErrorName): void;
  /** The answer to `close()`: nothing else will be called. */
  onClose?(): void;
}

/** An owner that reads and writes, and so has to hear of all that comes of it. */
export type StreamOwner = ConnectionOwner &
  Required<Pick<ConnectionOwner, 'onData' | 'onEnd' | 'onReadError' | 'onWriteError'>>;

/** Called when a write or shutdown is done, in no async context; `null` for success. */
export type DoneCallback = (error: ErrorName | null) => void;

/** One entry of a gathered write, as `stream.Writable` hands them to `_writev`. */
export interface WriteChunk {
  chunk: Buffer | Uint8Array | string;
  encoding: BufferEncoding;
}

export interface KeepAliveSettings {
  /** Seconds; 0 leaves the default of the operating system. */
  delay: number;
  interval?: number | undefined;
  count?: number | undefined;
}

/** One connection on a port. Reading starts stopped. */
export interface Connection {
  readonly kind: SocketKind;
  owner: ConnectionOwner | null;
  /** Bytes handed to the owner so far. */
  readonly bytesRead: number;
  /** Bytes accepted by write() and writev() so far, sent or not. */
  readonly bytesWritten: number;
  /** Bytes accepted but not yet taken by the operating system. */
  readonly writeQueueSize: number;
  readonly reading: boolean;

  startReading(): void;
  stopReading(): void;
  /** The same, and nothing more is received on the socket as far as that can be had at once. */
  withdrawReading(): void;
  /**
   * Stops reading, and says whether the socket can go on elsewhere, in a duplicate, without a loss:
   * nothing is under way on it, and all that was received the owner has got.
   */
  quiesce(): boolean;
  /**
   * Submits bytes. A string is encoded straight into the send slab. `done` is called before
   * write() returns when the OS has taken all at once, or when the bytes were copied and little is
   * queued; else when the OS took them.
   */
  write(chunk: Buffer | Uint8Array | string, encoding: BufferEncoding, done: DoneCallback): void;
  writev(chunks: readonly WriteChunk[], done: DoneCallback): void;
  /**
   * Sends FIN once everything written before is sent. `done` is never called synchronously. Once
   * only: later calls, and those after close(), are refused with `'ENOTCONN'`, and `done` is not
   * called.
   */
  shutdown(done: DoneCallback): ErrorName | null;
  /**
   * Ends the connection; once only. `onClose` follows, never synchronously. With `reset` the peer
   * gets RST; else what was written is still sent, then FIN. Callbacks of writes under way are
   * called first, with `'ECANCELED'` if their bytes were dropped.
   */
  close(reset: boolean): void;
  /**
   * Gives up this side's handle and nothing else, for a connection that goes on in a duplicate of
   * it: what was written is still sent, but no FIN is. `onClose` follows.
   */
  release(): void;
  /**
   * A second descriptor of the socket, the caller's to close; not on Windows. From here on close()
   * without `reset` is release(), as the connection goes on in the other.
   */
  duplicate(): number | ErrorName;

  /** Each returns the error's name or `null`; `'ENOTSUP'` on a local connection. */
  setNoDelay(enable: boolean): ErrorName | null;
  setKeepAlive(enable: boolean, settings: KeepAliveSettings): ErrorName | null;
  /** 0 to 255; the system may refuse or ignore it, Windows mostly does. */
  setTypeOfService(value: number): ErrorName | null;
  typeOfService(): number | ErrorName;
  /** Whether bytes, the end or an error have arrived that the owner has not got. A system call. */
  hasUnread(): boolean;
  localEndpoint(): Endpoint | ErrorName;
  peerEndpoint(): Endpoint | ErrorName;
  /** File descriptor on POSIX, -1 on Windows. */
  readonly fd: number;

  /** Whether this connection keeps the event loop alive; it does from the start. */
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  /** Async id of the connection's resource (`TCPWRAP`, `PIPEWRAP`). */
  asyncId(): number;
}

/**
 * A connection that was accepted and that nobody has an object for yet. It means the one at hand for
 * as long as the call lasts that it was given to.
 */
export type Arrival = Pick<Connection, 'kind' | 'localEndpoint' | 'peerEndpoint' | 'close'>;

export interface ListenerOwner {
  /** What a program knows the listener by: a server. */
  readonly shownAs: object;
  /** Whether `admits` is to be asked of each connection. */
  readonly isSelective: boolean;
  /** Whether the connection may come in. What may not was closed. */
  admits(arrival: Arrival): boolean;
  /** A new connection; set `connection.owner` before returning, or close it. */
  onAccept(connection: Connection): void;
  onAcceptError(error: ErrorName): void;
}

export interface ListenSettings {
  /** Numeric address. */
  address: string;
  port: number;
  backlog: number;
  ipv6Only: boolean;
  reusePort: boolean;
}

export interface LocalListenSettings {
  /** A socket file, `\0name` in Linux' abstract namespace, or `\\.\pipe\name` on Windows. */
  path: string;
  /** Means nothing on Windows. */
  backlog: number;
}

/** A native handle that exists already, and what becomes of it. */
export interface Adoption {
  /** The file descriptor; on Windows the SOCKET. */
  handle: number;
  /** It stays its owner's; the port takes a duplicate. Else it is the port's, unless that fails. */
  duplicate: boolean;
}

export interface Listener {
  readonly kind: SocketKind;
  readonly owner: ListenerOwner;
  readonly fd: number;
  /**
   * A second handle to the socket (a descriptor, on Windows a SOCKET), the caller's to adopt or to
   * close. Whoever accepts from it takes turns with us.
   */
  duplicate(): number | ErrorName;
  localEndpoint(): Endpoint | ErrorName;
  /**
   * Lets everybody connect, to read, to write or both; of local listeners, and in the tick in which
   * they were made.
   */
  setAccess(readable: boolean, writable: boolean): ErrorName | null;
  /**
   * Stops accepting; `done` (never synchronous) when the socket is closed. Once only. The file of a
   * local socket is gone when this returns. True: the socket is closed already, as nearly always,
   * for this waits a moment; its address is free.
   */
  close(done?: () => void): boolean;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  asyncId(): number;
}

export interface ConnectSettings {
  /** Numeric address. */
  address: string;
  port: number;
  localAddress?: string | undefined;
  localPort?: number | undefined;
  /**
   * The async resource that the connection lives in, where it was made before; else the connection
   * makes one. Destroyed with the connection.
   */
  scope?: AsyncResource | undefined;
}

/** The ports of this environment (main thread or worker), as `src/engine.ts` opens them. */
export interface Transport extends AdoptingTransport, SharingTransport {
  /** Binds and listens at once; errors come back at once. Accepting starts in the next tick. */
  listen(settings: ListenSettings, owner: ListenerOwner): Listener | ErrorName;
  /**
   * Creates and binds a socket at once (`bindError` then), and starts connecting; the result comes
   * by `owner.onConnect`, never synchronously.
   */
  connect(settings: ConnectSettings, owner: ConnectionOwner): Connection | ConnectFailure;
  /** The same for a path. */
  listenLocal(settings: LocalListenSettings, owner: ListenerOwner): Listener | ErrorName;
  connectLocal(path: string, owner: ConnectionOwner, scope?: AsyncResource): Connection | ErrorName;
  /** Time that the event loop has waited in the ports, in milliseconds. */
  waitedMs(): number;
  /** What a listener threw: it goes to 'uncaughtException', in the context of this call. */
  fatalException(error: unknown): void;
  /**
   * Calls back in the event loop's check phase, in the order of what Node's native code defers to
   * there and before `setImmediate()`; in the next tick where this Node has no way to.
   */
  callWithImmediates(callback: () => void): void;
  /** What is open, or closing and not yet reported closed. Costs a look at every slot in use. */
  connections(): Connection[];
  listeners(): Listener[];
}

/** Sockets that were not made here; see `AdoptConnection` and `AdoptListener` of the core. */
export interface AdoptingTransport {
  /** A connected stream socket. Reading starts stopped. */
  adoptConnection(adoption: Adoption): Connection | ErrorName;
  /** A bound stream socket, which listens then; others may accept from it too. */
  adoptListener(
    adoption: Adoption,
    settings: Pick<ListenSettings, 'backlog'>,
    owner: ListenerOwner,
  ): Listener | ErrorName;
}

/**
 * Listening sockets that processes share by words alone: on Windows, where Node's own handles do not
 * say their SOCKET. A handle is a number here, and its receiver's to adopt or close.
 */
export interface SharingTransport {
  /** Binds and listens, but does not accept: that is for those it is shared with. */
  openShared(
    settings: Pick<ListenSettings, 'address' | 'port' | 'backlog' | 'ipv6Only'>,
  ): number | ErrorName;
  /** A token by which that process gets a handle to the same socket, once. */
  shareWith(handle: number, processId: number): Buffer | ErrorName;
  takeShared(token: Uint8Array): number | ErrorName;
  closeHandle(handle: number): void;
}

/** A connect that failed before anything was sent. */
export interface ConnectFailure {
  error: ErrorName;
  syscall: 'bind' | 'connect';
}

/**
 * What the port layer offers to the `net` layer: connections, listeners, and how to get them.
 *
 * Everything below `src/port` deals in completions and shared memory; everything above it
 * (`src/net`) deals in streams, events and Node's errors. This file is the line between the two.
 * Errors cross it as names (`'ECONNRESET'`); turning them into Node's Error objects is the `net`
 * layer's business.
 */
import type { AsyncResource } from 'node:async_hooks';
import type { DatagramClass } from '../traffic-class';

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

/** What is sent of a regular file, and what goes with it. */
export interface FileToSend {
  /** Of Node's; a duplicate of it is used. */
  readonly descriptor: number;
  /** In the file; the end is the first byte that is not sent. */
  readonly start: number;
  readonly end: number;
  readonly head: Uint8Array | null;
  readonly tail: Uint8Array | null;
  /** The system has taken so much of the file, in all. Called also before `sendFile()` returns. */
  progress(sent: number): void;
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
   * Sends from a file, as a write of its bytes would, but that `done` waits for the system to take
   * the last. `'EOF'`: the file has ended before. An error's name where this connection or file
   * cannot be served so, or the descriptor is none; then nothing was sent, and `done` is not called.
   */
  sendFile(file: FileToSend, done: DoneCallback): ErrorName | null;
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
  /**
   * The async resource (`TCPWRAP`, `PIPEWRAP`) in which its owner is called. It ends with the
   * connection; who puts another in its place ends the one before.
   */
  scope: AsyncResource;
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

/** What a datagram socket reports, under the rules of `ConnectionOwner`. */
export interface DatagramOwner {
  /** One datagram; the buffer is the owner's. */
  onDatagram(bytes: Buffer, address: string, family: 'IPv4' | 'IPv6', port: number): void;
  /** Receiving failed; it goes on. `'ECONNREFUSED'`: nobody is at the connected peer's port. */
  onReceiveError(error: ErrorName): void;
}

export interface DatagramSettings {
  /** Numeric address. */
  address: string;
  port: number;
  ipv6Only: boolean;
  /** Others with this setting may bind the same address. */
  reuseAddress: boolean;
  /** Likewise, and the system spreads what arrives over them. Linux only, else `'ENOTSUP'`. */
  reusePort: boolean;
  /** Decides on which port it lives. */
  trafficClass: DatagramClass;
}

/** Called when a datagram has left, with the bytes, or has failed; in no async context. */
export type SentCallback = (error: ErrorName | null, bytes: number) => void;

export interface GroupSettings {
  group: string;
  /** Undefined: any. */
  source: string | undefined;
  /** An address of the interface, or of none with a zone; undefined: the system's choice. */
  networkInterface: string | undefined;
}

export type DatagramOption = 'broadcast' | 'ttl' | 'multicastTtl' | 'multicastLoopback';

/** A bound datagram socket on a port. Receiving starts stopped. Errors come as names. */
export interface DatagramSocket {
  startReceiving(): void;
  /** What was taken from the system already is dropped. */
  stopReceiving(): void;
  /**
   * Sends one datagram of these pieces, to the connected peer where `address` is null. The bytes it
   * has if the system took it at once, or an error, or undefined: `done` will be called. Then it is
   * held for a moment to leave with others, or the system has no room for it now. The pieces are
   * copied in any case.
   */
  send(
    chunks: readonly Uint8Array[],
    address: string | null,
    port: number,
    done: SentCallback | null,
  ): number | ErrorName | undefined;
  /** Bytes and datagrams that the system has not taken. */
  readonly queuedBytes: number;
  readonly queuedCount: number;

  /** Without an address it disconnects. */
  connect(address?: string, port?: number): ErrorName | null;
  localEndpoint(): Endpoint | ErrorName;
  peerEndpoint(): Endpoint | ErrorName;
  setOption(option: DatagramOption, value: number): ErrorName | null;
  setMulticastInterface(address: string): ErrorName | null;
  joinGroup(join: boolean, settings: GroupSettings): ErrorName | null;
  /** Of the system's buffer, in bytes: what it has where `bytes` is 0, else it is set. */
  bufferSize(of: 'receive' | 'send', bytes: number): number | ErrorName;
  /** File descriptor on POSIX, -1 on Windows. */
  readonly fd: number;
  /** A second descriptor, the caller's to close. */
  duplicate(): number | ErrorName;

  /** Its address is free when this returns, as nearly always. What waits to be sent is dropped. */
  close(): void;
  /** Whether it keeps the event loop alive, while it receives or has something to send. */
  ref(): void;
  unref(): void;
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
  /**
   * Binds a datagram socket at once. `'ENOSYS'`: this core has none (`completion_port/datagram.h`).
   */
  bindDatagrams(settings: DatagramSettings, owner: DatagramOwner): DatagramSocket | ErrorName;
  /** Whether this descriptor is one of a datagram socket here. Costs a look at each. */
  hasDatagrams(fd: number): boolean;
  /** Time that the event loop has waited in the ports, in milliseconds. */
  waitedMs(): number;
  /** What a listener threw: it goes to 'uncaughtException', in the context of this call. */
  fatalException(error: unknown): void;
  /**
   * Calls back in the event loop's check phase, in the order of what Node's native code defers to
   * there and before `setImmediate()`; in the next tick where this Node has no way to.
   */
  callWithImmediates(callback: () => void): void;
  /** Whether this environment has child processes, referenced or not. Costs a look at each handle. */
  hasChildren(): boolean;
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

/** What a socket keeps about its connection, and what the connection reports to the socket. */
import { AsyncResource } from 'node:async_hooks';
import type * as nodeNet from 'node:net';
import type {
  Connection,
  ConnectionOwner,
  DoneCallback,
  ErrorName,
  FileToSend,
  KeepAliveSettings,
  SocketKind,
  WriteChunk,
} from '../../port/contract';
import { channels } from '../../diagnostics/channels';
import type { ConnectionMessage } from '../../diagnostics/messages';
import { bare } from '../bare';
import { answerIn, requestScope } from '../node/async-scopes';
import { nodeMajor } from '../node/version';
import { nameOfNumber, operationError } from '../node/errors';
import { nodeSocket } from '../node/internals';
import type { NetSocket, SocketWith, WriteCallback, WriteData } from '../node/internals';
import type { HandleOwner, SocketHandle } from '../handle/handle-interface';
import { moreKeepAlive } from './keep-alive';
import type { KeepAliveOptions } from './keep-alive-options';
import type { UserBuffer } from './user-buffer';

/** Whether the running Node knows the type of service. */
export const hasTypeOfService = 'setTypeOfService' in nodeSocket;

/** Up to Node 20 the write under way of a socket that was destroyed counts as done. */
const hidesErrorsOfDestroyed = nodeMajor < 22;

/** Null without the option; few programs have it, so what reads it is loaded with the first. */
function userBufferFor(onread: LinkOptions['onread']): UserBuffer | null {
  if (!onread) return null;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at first need
  const { UserBuffer } = require('./user-buffer') as typeof import('./user-buffer');
  return UserBuffer.from(onread);
}

/** Shared: most connections have no settings of their own. */
const noDelayGiven: KeepAliveSettings = Object.freeze(bare({ delay: 0 }));

export enum Phase {
  /** No connection: the socket is fresh or destroyed. */
  Idle,
  /** `connect()` was called: a name is looked up, or attempts are under way. */
  Connecting,
  /** Connected or accepted. */
  Open,
}

/** The options of a socket that concern its connection. */
export interface LinkOptions extends KeepAliveOptions {
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  keepAliveInitialDelay?: number | undefined;
  typeOfService?: number | undefined;
  onread?: nodeNet.OnReadOpts | null | undefined;
}

/** A socket, with its link where it has one. */
export type LinkedSocket = SocketWith<SocketLink>;

/** A `connect()` from the call until the socket is connected or destroyed. */
export interface PendingConnect {
  /** The socket was destroyed meanwhile, and its connection is closed. */
  cancelled(): void;
}

/** A socket's side of its connection, over as many connections as the socket has in its life. */
export class SocketLink implements HandleOwner {
  readonly socket: LinkedSocket;
  phase = Phase.Idle;
  /** Of the last connection, or the one to come. */
  kind: SocketKind = 'tcp';
  /** While connecting, that of the attempt under way. */
  connection: Connection | null = null;
  /** `socket._handle`, once someone has looked at it. */
  handle: SocketHandle | null = null;
  /** The async resource of the connection to come; the attempt that makes one takes it along. */
  scope: AsyncResource | null = null;
  /** The connect under way. */
  dial: PendingConnect | null = null;
  /** Counts of the last connection, for after its end. */
  bytesRead = 0;
  bytesWritten = 0;
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveSettings: KeepAliveSettings;
  /** Undefined where nobody has asked for one. */
  typeOfService: number | undefined;
  refed = true;
  /** Whoever looked at the handle first is better served by one of Node's, when there is a connection. */
  goesToNode = false;
  /** In this tick someone looked for a handle and found none, although there is a connection. */
  handleMissed = false;
  readonly userBuffer: UserBuffer | null;
  /**
   * Size of the write under way when it was submitted, later what of all was queued at the last
   * look: as long as it changes, the peer is taking bytes and the socket does not time out.
   */
  lastWriteQueueSize = 0;

  /** The stream's callback for the write under way: a stream has one at a time. */
  #writing: WriteCallback | null = null;
  /** Its scope, where the callback had to wait. */
  #writeScope: AsyncResource | null = null;
  readonly #written: DoneCallback = (error) => {
    const callback = this.#writing;
    const scope = this.#writeScope;
    this.#writing = null;
    this.#writeScope = null;
    if (callback === null) return;
    if (scope === null) this.#acknowledge(error, callback);
    else answerIn(scope, this.#acknowledge.bind(this), error, callback);
  };

  get shownAs(): LinkedSocket {
    return this.socket;
  }

  constructor(socket: LinkedSocket, options: LinkOptions | undefined) {
    this.socket = socket;
    this.noDelay = Boolean(options?.noDelay);
    this.keepAlive = Boolean(options?.keepAlive);
    // Node's constructor says afterwards what is wrong with what is no number.
    const given: unknown = options?.keepAliveInitialDelay;
    const delay = typeof given === 'number' ? ~~(given / 1000) : 0;
    const more = moreKeepAlive(options);
    if (more !== null) this.keepAliveSettings = bare({ delay, ...more });
    else this.keepAliveSettings = delay > 0 ? bare({ delay }) : noDelayGiven;
    this.typeOfService = hasTypeOfService ? options?.typeOfService : undefined;
    this.userBuffer = userBufferFor(options?.onread);
  }

  /** Takes an accepted connection, or one whose connect has succeeded. */
  open(connection: Connection, origin: ConnectionMessage['origin']): void {
    // One that was accepted with its handle is opened twice.
    const isNew = this.connection !== connection || this.phase !== Phase.Open;
    this.phase = Phase.Open;
    this.kind = connection.kind;
    this.connection = connection;
    this.dial = null;
    if (this.handle === null) connection.owner = this;
    else this.handle.opened(connection);
    if (isNew && channels.connection.hasSubscribers)
      channels.connection.publish({ socket: this.told, origin });
  }

  /** The socket, for who listens on a channel. */
  get told(): nodeNet.Socket {
    return this.socket as unknown as nodeNet.Socket;
  }

  /** The connection ends: what remains of it are its counts. */
  closed(): void {
    const { connection } = this;
    if (connection === null) return;
    const isOpen = this.phase === Phase.Open;
    if (isOpen && channels.close.hasSubscribers) channels.close.publish({ socket: this.told });
    this.bytesRead = connection.bytesRead;
    this.bytesWritten = connection.bytesWritten;
    this.connection = null;
  }

  /** Parts from connection and handle, and leaves them as they are. */
  release(): void {
    this.handle?.leave();
    this.detach();
  }

  /** Forgets the connection. */
  detach(): void {
    const leaves = this.phase === Phase.Open && this.connection !== null;
    if (leaves && channels.leave.hasSubscribers) channels.leave.publish({ socket: this.told });
    this.phase = Phase.Idle;
    this.connection = null;
    this.handle = null;
    this.dial = null;
  }

  // A handle's methods may have been replaced, so where there is one it is asked. That of a local
  // connection has none of TCP's.

  setNoDelay(enable: boolean): void {
    if (this.kind === 'local') return;
    if (this.handle !== null) this.handle.setNoDelay?.(enable);
    else if (this.phase === Phase.Open) this.connection?.setNoDelay(enable);
  }

  setKeepAlive(enable: boolean, settings: KeepAliveSettings): void {
    const { delay, interval, count } = settings;
    if (this.kind === 'local') return;
    if (this.handle !== null) this.handle.setKeepAlive?.(enable, delay, interval, count);
    else if (this.phase === Phase.Open) this.connection?.setKeepAlive(enable, settings);
  }

  /** The error's name, or null. */
  setTypeOfService(value: number): ErrorName | null {
    if (this.handle === null) return this.connection?.setTypeOfService(value) ?? null;
    // Absent where others took it away.
    const { setTypeOfService } = this.handle as Partial<SocketHandle>;
    const number = setTypeOfService?.call(this.handle, value);
    return number ? nameOfNumber(number) : null;
  }

  setReferenced(referenced: boolean): void {
    this.refed = referenced;
    const target = this.handle ?? this.connection;
    if (referenced) target?.ref();
    else target?.unref();
  }

  /** For the connection of an attempt that starts now. */
  takeScope(): AsyncResource | undefined {
    const { scope } = this;
    this.scope = null;
    return scope ?? undefined;
  }

  /** Applies to a new connection what the user asked for before there was one. */
  applyRef(connection: Connection): void {
    if (!this.refed) connection.unref();
  }

  write(connection: Connection, data: WriteData, encoding: BufferEncoding, cb: WriteCallback) {
    const before = connection.bytesWritten;
    connection.write(data, encoding, this.#startWriting(cb));
    if (this.#writing === cb) this.#keepWaiting(connection, before);
  }

  writev(connection: Connection, chunks: readonly WriteChunk[], cb: WriteCallback): void {
    const before = connection.bytesWritten;
    connection.writev(chunks, this.#startWriting(cb));
    if (this.#writing === cb) this.#keepWaiting(connection, before);
  }

  /** The error's name where nothing was sent, and the callback is not called. */
  sendFile(connection: Connection, file: FileToSend, cb: WriteCallback): ErrorName | null {
    const done = this.#startWriting(cb);
    const progress = (sent: number): void => {
      if (!this.socket.destroyed) this.socket._unrefTimer();
      file.progress(sent);
    };
    const refused = connection.sendFile({ ...file, progress }, done);
    if (refused !== null) this.#writing = null;
    else if (this.#writing === cb) {
      this.#keepWaiting(connection, connection.bytesWritten - connection.writeQueueSize);
    }
    return refused;
  }

  /** As in Node, a FIN that could not be sent is no error: reading tells what happened. */
  shutdown(connection: Connection, callback: WriteCallback): void {
    const refused = connection.shutdown(() => answerIn(scope, callback));
    if (refused !== null) return callback();
    const scope = requestScope('SHUTDOWNWRAP', connection);
  }

  onData(chunk: Buffer): boolean {
    const { socket, userBuffer } = this;
    socket._unrefTimer();
    return userBuffer === null ? socket.push(chunk) : userBuffer.deliver(socket, chunk);
  }

  onEnd(): void {
    const { socket } = this;
    socket._unrefTimer();
    if (socket._readableState.endEmitted) return;
    socket.push(null);
    socket.read(0);
  }

  onReadError(error: ErrorName): void {
    this.socket.destroy(operationError(error, 'read'));
  }

  onWriteError(error: ErrorName): void {
    this.socket.destroy(operationError(error, 'write'));
  }

  /** Lets the connection read, which it does until the socket has enough. */
  startReading(): void {
    const { connection, userBuffer } = this;
    if (connection === null || this.phase !== Phase.Open || connection.reading) return;
    if (userBuffer === null) connection.startReading();
    else userBuffer.resume(this.socket, () => this.connection?.startReading());
  }

  /** Stops reading into the user's buffer at once; a stream of its own buffers what comes. */
  stopUserBuffer(): void {
    if (this.userBuffer === null || this.phase !== Phase.Open) return;
    this.userBuffer.stop();
    this.connection?.stopReading();
  }

  #startWriting(callback: WriteCallback): DoneCallback {
    if (this.#writing !== null) {
      // Someone calls _write() past the stream.
      return AsyncResource.bind((error: ErrorName | null) => this.#acknowledge(error, callback));
    }
    this.#writing = callback;
    return this.#written;
  }

  #keepWaiting(connection: Connection, bytesBefore: number): void {
    this.lastWriteQueueSize = connection.bytesWritten - bytesBefore;
    this.#writeScope = requestScope('WRITEWRAP', connection);
  }

  #acknowledge(error: ErrorName | null, callback: WriteCallback): void {
    const { socket } = this;
    if (error === 'ECONNRESET' && this.connection?.reading && !socket.destroyed) {
      // With libuv, who reads learns of a reset first, and the write under way is cancelled by that.
      socket.destroy(operationError(error, 'read'));
      process.nextTick(() => this.#acknowledge('ECANCELED', callback));
      return;
    }
    if (error !== null && !(hidesErrorsOfDestroyed && this.socket.destroyed)) {
      callback(operationError(error, 'write'));
      return;
    }
    // Zero also when write() has not returned yet: then the timer was refreshed just now.
    if (this.lastWriteQueueSize !== 0) {
      this.lastWriteQueueSize = 0;
      if (!this.socket.destroyed) this.socket._unrefTimer();
    }
    callback(null);
  }
}

/** Takes over when the socket is destroyed, and waits for the end of the connection. */
export class ClosingOwner implements ConnectionOwner {
  readonly shownAs: NetSocket;
  readonly #hadError: boolean;
  /** The connect that was under way. */
  readonly #dial: PendingConnect | null;

  constructor(socket: NetSocket, hadError: boolean, dial: PendingConnect | null) {
    this.shownAs = socket;
    this.#hadError = hadError;
    this.#dial = dial;
  }

  onClose(): void {
    this.#dial?.cancelled();
    this.shownAs.emit('close', this.#hadError);
  }
}

/**
 * One connection: what is asked of it becomes submissions on its port, and the port calls
 * `complete…` for what came back. Its two directions are `ConnectionReader` and `ConnectionWriter`;
 * here is its life, and whom it calls.
 */
import { AsyncResource } from 'node:async_hooks';
import type {
  ConnectionOwner,
  DoneCallback,
  ErrorName,
  FileToSend,
  SocketKind,
  Verdict,
  WriteChunk,
} from './contract';
import type { Port } from './port';
import { ConnectionControl } from './connection-control';
import { ConnectionReader } from './connection-reader';
import type { Received } from './connection-reader';
import { ConnectionScope } from './connection-scope';
import { ConnectionWriter } from './connection-writer';
import type { PortConnection } from './served';

enum State {
  Connecting,
  Open,
  /** close() was called; its completion is awaited. */
  Closing,
  /** onClose was called. The port may still be sending what was written. */
  Closed,
}

enum SendSide {
  Open,
  /** shutdown() was called; its completion is awaited. */
  Ending,
  Ended,
}

export class TcpConnection extends ConnectionControl implements PortConnection {
  owner: ConnectionOwner | null = null;
  scope: AsyncResource;
  readonly #reader: ConnectionReader;
  readonly #writer: ConnectionWriter;
  #state: State;
  #isDuplicated = false;
  #sendSide = SendSide.Open;
  /** While the side is ending. */
  #shutdownDone: DoneCallback | null = null;
  #refed = true;
  /** Whether this connection counts for the event loop at present. */
  #holding = false;

  /**
   * `origin`: the listener that it comes from, or 'adopted'; without one it is connecting. `scope`:
   * made before, where the connection belongs to an earlier context than this call.
   */
  constructor(
    port: Port,
    id: number,
    origin?: AsyncResource | 'adopted',
    readonly kind: SocketKind = 'tcp',
    scope?: AsyncResource,
  ) {
    super(port, id);
    this.scope =
      scope ??
      new ConnectionScope(this, origin instanceof AsyncResource ? origin.asyncId() : undefined);
    this.#reader = new ConnectionReader(this, port, (what) => this.#deliver(what));
    this.#writer = new ConnectionWriter(port, id, kind);
    this.#state = origin === undefined ? State.Connecting : State.Open;
    if (origin === 'adopted') this.#reader.open();
    port.addConnection(this);
    this.#updateHold();
  }

  // --- Calling the owner --------------------------------------------------------------------------

  /**
   * Calls the owner in its scope. What it throws is reported from within that, so that an
   * 'uncaughtException' sees the context of whoever threw.
   */
  #call<T>(call: (owner: ConnectionOwner, argument: T) => Verdict, argument: T): Verdict {
    const { owner } = this;
    if (owner === null) return false;
    return this.scope.runInAsyncScope(callOwner<T>, null, this.port, owner, call, argument);
  }

  #deliver(what: Received): Verdict {
    const { owner } = this;
    const isForNative = this.isNative && (what === null || ArrayBuffer.isView(what));
    if (!isForNative || owner === null) return this.#call(deliver, what);
    return callOwner(this.port, owner, deliver, what);
  }

  get isNative(): boolean {
    return this.owner !== null && this.owner.isNative === true;
  }

  deliverHeld(): void {
    this.#reader.deliverHeld();
  }

  // --- Reading ------------------------------------------------------------------------------------

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  get reading(): boolean {
    return this.#reader.reading;
  }

  hasUnread(): boolean {
    return this.#state === State.Open && this.#reader.hasUnread;
  }

  startReading(): void {
    if (this.reading || this.#state >= State.Closing) return;
    this.#reader.start();
    this.#updateHold();
  }

  stopReading(): void {
    this.#reader.stop();
    this.#updateHold();
  }

  withdrawReading(): void {
    this.#reader.withdraw();
    this.#updateHold();
  }

  quiesce(): boolean {
    if (this.#state !== State.Open || this.#sendSide !== SendSide.Open) return false;
    if (this.#writer.queued !== 0) return false;
    const isQuiet = this.#reader.quiesce();
    this.#updateHold();
    return isQuiet;
  }

  beginReading(): void {
    this.#reader.open();
  }

  completeReceive(result: number, chunk: number, offset: number): void {
    this.#reader.complete(result, chunk, offset);
    if (!this.#reader.isAwaiting) this.#updateHold();
  }

  // --- Writing ------------------------------------------------------------------------------------

  get bytesWritten(): number {
    return this.#writer.bytesWritten;
  }

  get writeQueueSize(): number {
    return this.#writer.queued;
  }

  write(chunk: Buffer | Uint8Array | string, encoding: BufferEncoding, done: DoneCallback): void {
    this.#writer.write(chunk, encoding, done);
    if (!this.#holding) this.#updateHold();
  }

  writev(chunks: readonly WriteChunk[], done: DoneCallback): void {
    this.#writer.writev(chunks, done);
    if (!this.#holding) this.#updateHold();
  }

  sendFile(file: FileToSend, done: DoneCallback): ErrorName | null {
    if (this.#state !== State.Open) return 'ENOTCONN';
    const refused = this.#writer.sendFile(file, done);
    if (!this.#holding) this.#updateHold();
    return refused;
  }

  get isAnswered(): boolean {
    return this.#writer.unanswered === 0;
  }

  completeSend(result: number, count: number, taken: number): void {
    if (result >= 0) {
      this.#writer.complete(count, null);
      if (this.#holding && this.#writer.queued === 0) this.#updateHold();
      return;
    }
    // As with libuv, closing cancels what is not written, whatever that has met meanwhile.
    const isClosing = this.#state >= State.Closing;
    const error = isClosing ? 'ECANCELED' : this.#writer.errorOf(result);
    const unanswered = this.#writer.complete(count, error, taken);
    if (unanswered && this.#state === State.Open) this.#call(reportWriteError, error);
  }

  shutdown(done: DoneCallback): ErrorName | null {
    if (!this.isAlive || this.#sendSide !== SendSide.Open) return 'ENOTCONN';
    this.#sendSide = SendSide.Ending;
    this.#shutdownDone = done;
    if (!this.#holding) this.#updateHold();
    this.port.submitNow(this.port.context.layout.opcodes.shutdown, 0, this.id);
    return null;
  }

  completeShutdown(result: number): void {
    this.#endSending(result < 0 ? this.errorName(result) : null);
  }

  #endSending(error: ErrorName | null): void {
    if (this.#sendSide !== SendSide.Ending) return;
    this.#sendSide = SendSide.Ended;
    const done = this.#shutdownDone;
    this.#shutdownDone = null;
    this.#updateHold();
    if (done !== null) this.port.answer(done, error);
  }

  // --- Beginning and end --------------------------------------------------------------------------

  completeConnect(result: number): void {
    // An adopted one is connected. On Windows it may be bound to another queue, and can't be read.
    if (this.#state === State.Open && result < 0) this.completeReceive(result, 0, 0);
    if (this.#state !== State.Connecting) return;
    this.#state = State.Open;
    this.#updateHold();
    if (result === 0) this.#reader.open();
    this.owner?.onConnect?.(result < 0 ? this.errorName(result) : null);
  }

  close(reset: boolean): void {
    if (!reset && this.#isDuplicated) this.release();
    else this.#close(reset ? this.port.context.layout.closeReset : 0);
  }

  release(): void {
    this.#close(this.port.context.layout.closeRelease);
  }

  #close(flags: number): void {
    if (this.#state >= State.Closing) return;
    this.#state = State.Closing;
    this.#reader.close();
    this.#updateHold();
    this.port.submitNow(this.port.context.layout.opcodes.close, flags, this.id);
  }

  completeLinger(): void {
    this.#finish();
  }

  completeClose(): void {
    this.#finish();
    this.#writer.complete(Infinity, 'ECANCELED');
    this.scope.emitDestroy();
  }

  #finish(): void {
    if (this.#state === State.Closed) return;
    this.#state = State.Closed;
    this.#updateHold();
    this.#writer.answerAll('ECANCELED');
    this.#endSending('ECANCELED');
    this.#call(reportClose, null);
    this.owner = null;
  }

  protected override get isAlive(): boolean {
    return this.#state < State.Closing;
  }

  /** Who asks for it may write to the socket by other ways, so ours must not be late. */
  override get fd(): number {
    const fd = super.fd;
    if (fd >= 0) this.#sendAtOnce();
    return fd;
  }

  #sendAtOnce(): void {
    this.#writer.gathers = false;
    if (this.port.gathering.isWaiting) this.port.handOver();
  }

  duplicate(): number | ErrorName {
    if (!this.isAlive) return 'EBADF';
    if (process.platform === 'win32') return 'ENOTSUP';
    this.#sendAtOnce();
    this.#isDuplicated = true;
    if (!this.reading) this.#reader.withdraw();
    return this.port.native.duplicate(this.id);
  }

  ref(): void {
    this.#refed = true;
    this.#updateHold();
  }

  unref(): void {
    this.#refed = false;
    this.#updateHold();
  }

  /**
   * As with libuv, a request that is under way holds the event loop, and so does a handle that is
   * being closed, referenced or not: their callbacks must come.
   */
  #hasRequest(): boolean {
    if (this.#state !== State.Open) return this.#state !== State.Closed;
    return this.#sendSide === SendSide.Ending || this.#writer.queued > 0;
  }

  #updateHold(): void {
    const hold = this.#hasRequest() || (this.#refed && this.#reader.isAwaiting);
    if (hold === this.#holding) return;
    this.#holding = hold;
    if (hold) this.port.ref();
    else this.port.unref();
  }

  hasRef(): boolean {
    return this.#refed;
  }
}

// What an owner is called for. True: it wants more.

function deliver(owner: ConnectionOwner, what: Received): Verdict {
  if (ArrayBuffer.isView(what)) return owner.onData?.(what) ?? false;
  if (what === null) return owner.onEnd?.() ?? true;
  owner.onReadError?.(what.error);
  return true;
}

function reportWriteError(owner: ConnectionOwner, error: ErrorName): boolean {
  owner.onWriteError?.(error);
  return true;
}

function reportClose(owner: ConnectionOwner): boolean {
  owner.onClose?.();
  return true;
}

/** In the owner's scope. Who throws goes on reading, as under `node:net`. */
function callOwner<T>(
  port: Port,
  owner: ConnectionOwner,
  call: (owner: ConnectionOwner, argument: T) => Verdict,
  argument: T,
): Verdict {
  try {
    return call(owner, argument);
  } catch (error) {
    port.context.fatalException(error);
    return true;
  }
}

/**
 * One connection: the writing half of its operations goes into the port's submission ring, and
 * the port calls `complete…` for what came back. No object is allocated per write, and no Node-API
 * call made per read or write, but where that is cheaper than the I/O thread: for what is large,
 * and for small writes on a quiet port.
 */
import { AsyncResource } from 'node:async_hooks';
import type {
  Connection,
  ConnectionOwner,
  DoneCallback,
  ErrorName,
  SocketKind,
  WriteChunk,
} from './contract';
import type { Port } from './port';
import { BulkReader, isBulk, Readable } from './bulk-reader';
import { ConnectionControl } from './connection-control';
import { ConnectionWriter, isPipe } from './connection-writer';

/**
 * Receives that may complete before JavaScript has taken the first, so that several chunks come in
 * one turn. Also the bound on what arrives after reading was stopped, in chunks of 64 KiB at most.
 */
export const RECEIVE_CREDIT = 4;

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

/** What arrived while reading was stopped, in order. */
type Held = Buffer | { end: true } | { error: ErrorName };

export class TcpConnection extends ConnectionControl implements Connection {
  owner: ConnectionOwner | null = null;
  bytesRead = 0;
  reading = false;
  /** What the owner is called in. */
  readonly #scope: AsyncResource;
  readonly #writer: ConnectionWriter;
  #state: State;
  /** Credit that was not granted again because reading was stopped. */
  #owedCredit: number;
  /** Position of the last chunk's return in the submission ring. */
  #lastReturn = 0;
  #held: Held[] | null = null;
  /** While the connection sends much at once. */
  #bulk: BulkReader | null = null;
  #isDuplicated = false;
  #sendSide = SendSide.Open;
  /** While the side is ending. */
  #shutdownDone: DoneCallback | null = null;
  #refed = true;
  /** Whether this connection counts for the event loop at present. */
  #holding = false;
  /** The end or a read error was delivered or waits in #held. */
  #ended = false;

  /**
   * `origin`: the listener that it comes from, or 'adopted'; without one it is connecting. `scope`:
   * made before, where the connection belongs to an earlier context than this call.
   */
  constructor(
    port: Port,
    id: number,
    grantedCredit: number,
    origin?: AsyncResource | 'adopted',
    readonly kind: SocketKind = 'tcp',
    scope?: AsyncResource,
  ) {
    super(port, id);
    this.#scope =
      scope ??
      new AsyncResource(kind === 'tcp' ? 'TCPWRAP' : 'PIPEWRAP', {
        requireManualDestroy: true,
        ...(origin instanceof AsyncResource && { triggerAsyncId: origin.asyncId() }),
      });
    this.#writer = new ConnectionWriter(port, id, kind);
    this.#state = origin === undefined ? State.Connecting : State.Open;
    this.#owedCredit = RECEIVE_CREDIT - grantedCredit;
    port.addConnection(this);
    this.#updateHold();
  }

  // --- Reading ------------------------------------------------------------------------------------

  startReading(): void {
    if (this.reading || this.#state >= State.Closing) return;
    this.reading = true;
    this.#updateHold();
    this.#continueReading();
  }

  stopReading(): void {
    this.reading = false;
    this.#updateHold();
  }

  #continueReading(): void {
    if (this.#held !== null) process.nextTick(deliverHeld, this);
    if (this.#bulk !== null) this.#awaitReadable(this.#bulk);
    else this.#grantOwedCredit();
  }

  #grantOwedCredit(): void {
    if (this.#owedCredit === 0 || this.#state === State.Connecting) return;
    this.port.submit(this.port.context.layout.opcodes.receive, 0, this.id, this.#owedCredit);
    this.#owedCredit = 0;
  }

  /** A chunk, the end (0) or an error (negative). */
  completeReceive(result: number, chunk: number, offset: number): void {
    if (result > 0) this.#completeChunk(result, chunk, offset);
    else this.#completeEnd(result === 0 ? { end: true } : { error: this.errorName(result) });
  }

  #completeChunk(length: number, chunk: number, offset: number): void {
    const port = this.port;
    const { layout } = port.context;
    if (this.#state !== State.Open) {
      port.submit(layout.opcodes.release, 0, this.id, chunk, 0);
      return;
    }
    const bytes = port.received.copyOut(offset, length);
    port.context.nursery.follow(length);
    if (isBulk(length)) this.#beginBulk();
    // Before the owner sees the bytes: if it throws, the chunk must not be lost.
    if (!this.reading || this.#held !== null || this.#bulk !== null) {
      port.submit(layout.opcodes.release, 0, this.id, chunk, 0);
      this.#owedCredit++;
    } else {
      this.#lastReturn = port.returnChunk(this.id, chunk, this.#lastReturn);
    }
    if (this.#bulk !== null) this.#awaitReadable(this.#bulk);
    this.#take(bytes);
  }

  #take(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    if (!this.reading || this.#held !== null) this.#hold(bytes);
    else if (!this.#deliver(bytes)) this.stopReading();
  }

  #beginBulk(): void {
    if (!isPipe(this.kind)) this.#bulk ??= new BulkReader(this.port, this.id);
  }

  #endBulk(): void {
    this.#bulk = null;
    if (this.reading) this.#grantOwedCredit();
  }

  /** Once all credit has come home: until then the I/O thread receives. */
  #awaitReadable(bulk: BulkReader): void {
    if (bulk.readable !== Readable.Unknown || this.#owedCredit !== RECEIVE_CREDIT) return;
    if (this.reading && this.#held === null) bulk.await();
  }

  completeReadable(result: number): void {
    const bulk = this.#bulk;
    if (bulk === null || this.#state !== State.Open) return;
    bulk.readable = Readable.Unknown;
    if (result === 0) return this.readAgain();
    const error = this.errorName(result);
    // The system still holds a receive of before, so that it has to go on.
    if (error === 'EBUSY') this.#endBulk();
    else this.#completeEnd({ error });
  }

  /** There is something to read, or perhaps: the port will call for each read. */
  readAgain(): void {
    const bulk = this.#bulk;
    if (bulk === null || bulk.readable !== Readable.Unknown || this.#state !== State.Open) return;
    if (!this.port.readers.mayRead) return this.port.readers.add(this);
    bulk.beginTurn();
    this.port.followUp = this;
  }

  /** One read. False when it was the last for now. */
  completeNextRead(): boolean {
    const bulk = this.#bulk;
    if (bulk === null || this.#state !== State.Open) return false;
    if (this.reading && bulk.readable === Readable.Yes) this.#readDirectly(bulk);
    return this.#continueBulk(bulk);
  }

  #readDirectly(bulk: BulkReader): void {
    const received = bulk.read();
    if (typeof received !== 'number') return this.#take(received);
    bulk.endTurn();
    // The end can be received once more. So the port learns of it, too, before it tells.
    if (received === 0) return this.#endBulk();
    const error = this.errorName(received);
    if (error !== 'EAGAIN') this.#completeEnd({ error });
  }

  /** Whether the turn goes on. If not: when to read next, or chunks again. */
  #continueBulk(bulk: BulkReader): boolean {
    if (this.#bulk !== bulk || this.#state !== State.Open) return false;
    if (this.reading && bulk.readable === Readable.Yes) return true;
    // The owner may have stopped and started reading meanwhile: then it is awaited already.
    if (bulk.readable === Readable.Awaited) return false;
    bulk.readable = Readable.Unknown;
    if (bulk.isOver) this.#endBulk();
    else if (this.reading && bulk.wasWorthIt) this.port.readers.add(this);
    else this.#awaitReadable(bulk);
    return false;
  }

  #completeEnd(end: Held): void {
    if (this.#state !== State.Open) return;
    this.#ended = true;
    this.#updateHold();
    // Nothing more is asked for: the system would say it again.
    this.#bulk = null;
    this.#owedCredit = 0;
    if (!this.reading || this.#held !== null) this.#hold(end);
    else this.#deliver(end);
  }

  #hold(what: Held): void {
    (this.#held ??= []).push(what);
  }

  /** False when the owner wants no more. */
  #deliver(what: Held): boolean {
    const { owner } = this;
    if (owner === null) return false;
    if (Buffer.isBuffer(what)) return this.#scope.runInAsyncScope(owner.onData, owner, what);
    if ('end' in what) this.#scope.runInAsyncScope(owner.onEnd, owner);
    else this.#scope.runInAsyncScope(owner.onReadError, owner, what.error);
    return true;
  }

  /** In the tick after startReading(): what had arrived while reading was stopped. */
  deliverHeld(): void {
    this.#scope.runInAsyncScope(this.#deliverHeld, this);
  }

  #deliverHeld(): void {
    try {
      while (this.reading && this.#held !== null && this.#state === State.Open) {
        const what = this.#held.shift();
        if (this.#held.length === 0) this.#held = null;
        if (what !== undefined && !this.#deliver(what)) this.stopReading();
      }
    } finally {
      // Where the owner has thrown, the rest follows in a tick of its own.
      if (this.reading) this.#continueReading();
    }
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

  completeSend(result: number, count: number): void {
    if (result >= 0) {
      this.#writer.complete(count, null);
      if (!this.reading) this.#updateHold();
      return;
    }
    const error = this.#writer.errorOf(result);
    const unanswered = this.#writer.complete(count, error);
    if (unanswered && this.#state === State.Open && this.owner !== null) {
      this.#scope.runInAsyncScope(this.owner.onWriteError, this.owner, error);
    }
  }

  shutdown(done: DoneCallback): ErrorName | null {
    if (!this.isAlive || this.#sendSide !== SendSide.Open) return 'ENOTCONN';
    this.#sendSide = SendSide.Ending;
    this.#shutdownDone = done;
    if (!this.#holding) this.#updateHold();
    this.port.submit(this.port.context.layout.opcodes.shutdown, 0, this.id);
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
    if (result === 0 && this.reading) this.#grantOwedCredit();
    this.owner?.onConnect(result < 0 ? this.errorName(result) : null);
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
    this.#updateHold();
    this.reading = false;
    this.#held = null;
    this.#bulk = null;
    this.port.submit(this.port.context.layout.opcodes.close, flags, this.id);
  }

  /** The port goes on sending what was written, but for the owner it is over. */
  completeLinger(): void {
    this.#finish();
  }

  completeClose(): void {
    this.#finish();
    this.#writer.complete(Infinity, 'ECANCELED');
    this.#scope.emitDestroy();
  }

  #finish(): void {
    if (this.#state === State.Closed) return;
    this.#state = State.Closed;
    this.#updateHold();
    const { owner } = this;
    this.#writer.answerAll('ECANCELED');
    this.#endSending('ECANCELED');
    this.owner = null;
    if (owner !== null) this.#scope.runInAsyncScope(owner.onClose, owner);
  }

  protected override get isAlive(): boolean {
    return this.#state < State.Closing;
  }

  duplicate(): number | ErrorName {
    if (!this.isAlive) return 'EBADF';
    if (process.platform === 'win32') return 'ENOTSUP';
    this.#isDuplicated = true;
    return this.port.context.group.duplicate(this.port.ordinal, this.id);
  }

  ref(): void {
    this.#refed = true;
    this.#updateHold();
  }

  unref(): void {
    this.#refed = false;
    this.#updateHold();
  }

  /** Whether something is awaited. An open connection that neither reads nor writes holds nothing. */
  get #active(): boolean {
    if (this.#state !== State.Open) return this.#state !== State.Closed;
    if (this.#sendSide === SendSide.Ending) return true;
    return (this.reading && !this.#ended) || this.#writer.queued > 0;
  }

  #updateHold(): void {
    // As with libuv, what is being closed holds it, referenced or not: 'close' must come.
    const hold = this.#state === State.Closing || (this.#refed && this.#active);
    if (hold === this.#holding) return;
    this.#holding = hold;
    if (hold) this.port.ref();
    else this.port.unref();
  }

  hasRef(): boolean {
    return this.#refed;
  }

  asyncId(): number {
    return this.#scope.asyncId();
  }
}

function deliverHeld(connection: TcpConnection): void {
  connection.deliverHeld();
}

/**
 * What a socket of ours promises, and whether it keeps that: the bytes, the order of its events, how
 * often each comes, and what its properties say meanwhile.
 */
import type * as net from 'node:net';
import type { ByteLog } from './byte-log';
import type { Judge } from './judge';
import type { ReadMode } from './read-modes';
import type { Peers } from './simulation';
import type { End, Side, Wires } from './wires';
import { WriteBooks } from './write-books';

enum Life {
  Connecting,
  Open,
  Closed,
}

/** What may go wrong through no fault of ours, by what was done to the connection. */
const OF_A_BROKEN_ONE = ['ECONNRESET', 'EPIPE', 'ECANCELED'];
const OF_A_CONNECT = ['ECONNREFUSED', 'ETIMEDOUT', 'ECONNRESET'];
/** Of a program that writes behind its own end. */
const OF_A_LATE_WRITE = ['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_DESTROYED', 'EPIPE'];

export interface SocketSurroundings {
  readonly judge: Judge;
  readonly peers: Peers;
  readonly wires: Wires;
}

export class SocketBooks implements End {
  readonly writes: WriteBooks;
  received = 0;
  wasCut = false;
  /** Reading was stopped: nothing is to be told of what comes. */
  isStopped = false;
  /**
   * `resume()` before there is a connection asks for a read as soon as there is one. With `onread`
   * `pause()` does not take that back before then, with `node:net` neither.
   */
  #readsOnConnect = false;
  /** A reset was asked for while it was connected. */
  isToReset = false;
  /** Written to, or ended, when that was no longer allowed. */
  wasLate = false;
  refed = true;
  /** The port of the client; 0 before there is one. */
  wire = 0;
  /** The `setTimeout()` that counts, and since when. */
  timeout = { ms: 0, since: 0, fired: false };
  #life = Life.Connecting;
  #hasEnd = false;
  #hasFinish = false;
  #isReady = false;
  #error: unknown = null;
  #ownError: unknown = null;
  #activeAt = 0;

  constructor(
    readonly world: SocketSurroundings,
    readonly socket: net.Socket,
    readonly name: string,
    readonly side: Side,
    readonly mode: ReadMode,
  ) {
    this.writes = new WriteBooks(world.judge, socket, name, () => this.#taken);
    this.writes.isComplete = mode !== 'echo';
    if (side === 'server') this.#open(socket.remotePort ?? 0);
    this.#listen();
  }

  get sent(): ByteLog {
    return this.writes.sent;
  }

  get hasEnded(): boolean {
    return this.socket.writableEnded || this.wasCut;
  }

  get mayLose(): boolean {
    return this.wasCut;
  }

  get isClosed(): boolean {
    return this.#life === Life.Closed;
  }

  get hasError(): boolean {
    return this.#error !== null;
  }

  #listen(): void {
    const { socket } = this;
    const events: Record<string, (argument?: unknown) => void> = {
      connect: () => this.#onConnect(),
      ready: () => this.#onReady(),
      end: () => this.#onEnd(),
      finish: () => this.#onFinish(),
      drain: () => this.writes.drained(),
      timeout: () => this.#onTimeout(),
      error: (error) => this.#onError(error as NodeJS.ErrnoException),
      close: (hadError) => this.#onClose(hadError === true),
    };
    for (const [name, told] of Object.entries(events)) {
      socket.on(name, (argument: unknown) => {
        this.world.judge.note(`${this.name} ${name}`, this.received);
        if (this.isClosed) this.violate(`'${name}' after 'close'`);
        told(argument);
      });
    }
  }

  #open(wire: number): void {
    this.#life = Life.Open;
    this.wire = wire;
    this.world.wires.connect(wire, this.side, this);
    if (wire === 0) this.violate('a connected socket has no ports');
  }

  // --- What it tells ------------------------------------------------------------------------------

  #onConnect(): void {
    if (this.#life !== Life.Connecting) this.violate("'connect' twice");
    if (this.socket.connecting) this.violate("connecting at 'connect'");
    this.#open(this.socket.localPort ?? 0);
  }

  #onReady(): void {
    if (this.#isReady) this.violate("'ready' twice");
    if (this.#life !== Life.Open) this.violate("'ready' before 'connect'");
    this.#isReady = true;
  }

  take(bytes: Uint8Array): void {
    const { judge } = this.world;
    judge.note(`${this.name} data`, bytes.length);
    if (this.isClosed) this.violate("'data' after 'close'");
    if (this.#life === Life.Connecting) this.violate("'data' before 'connect'");
    if (this.#hasEnd) this.violate("'data' after 'end'");
    if (this.isStopped) this.violate('data after pause()');
    const from = this.other;
    if (from?.sent.holds(bytes, this.received) !== true) {
      this.violate('a socket receives what was not sent', `${bytes.length} at ${this.received}`);
    }
    this.received += bytes.length;
    if (this.socket.bytesRead < this.received) {
      this.violate('bytesRead is less than what was received');
    }
    this.#isActive();
  }

  #onEnd(): void {
    if (this.#hasEnd) this.violate("'end' twice");
    this.#hasEnd = true;
    // A loop over a socket destroys it when it is over.
    if (this.mode === 'iterator') this.wasCut = true;
    const from = this.other;
    if (from === undefined) return this.#endOfNobody();
    if (!from.hasEnded && !this.wasReset) this.violate("'end' that nobody has made");
    if (from.mayLose || this.wasReset) return;
    if (this.received !== from.sent.length) this.violate("'end' before the last byte");
    if (this.socket.bytesRead !== this.received) {
      this.violate("bytesRead at 'end' is not what was received");
    }
  }

  /** Its peer was never accepted, or has never known that it was. */
  #endOfNobody(): void {
    const mayBe = this.side === 'server' && this.world.wires.abandoned > 0;
    if (!this.wasReset && !mayBe) this.violate("'end' of a connection that nobody has accepted");
  }

  #onFinish(): void {
    if (this.#hasFinish) this.violate("'finish' twice");
    if (!this.hasEnded) this.violate("'finish' without end()");
    this.#hasFinish = true;
    this.writes.checkSum();
    this.writes.finished();
  }

  #onTimeout(): void {
    const { ms, since } = this.timeout;
    const { judge } = this.world;
    const idle = judge.now() - Math.max(since, this.#activeAt);
    if (ms === 0) this.violate("'timeout' without a timeout");
    if (idle + judge.busyMs + 1 < ms) this.violate("'timeout' too early", `${idle} of ${ms} ms`);
    this.timeout.fired = true;
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#error !== null) this.violate("'error' twice");
    this.#error = error;
    const code = error.code ?? error.message;
    if (error === this.#ownError || this.world.judge.hasFaults) return;
    if (!this.#mayFailBy(code)) this.violate(`an error that nothing has caused: ${code}`);
  }

  #mayFailBy(code: string): boolean {
    if (this.wasLate && OF_A_LATE_WRITE.includes(code)) return true;
    // A loop over a socket that is over before everything is written.
    if (this.mode === 'iterator' && code === 'ABORT_ERR') return true;
    if (this.#life === Life.Connecting) return OF_A_CONNECT.includes(code);
    return this.wasReset && OF_A_BROKEN_ONE.includes(code);
  }

  #onClose(hadError: boolean): void {
    this.#life = Life.Closed;
    const { socket } = this;
    if (hadError !== (this.#error !== null)) this.violate("'close' has hadError wrong");
    if (!socket.destroyed) this.violate("'close' of a socket that is not destroyed");
    if (socket.bytesRead < this.received) this.violate("bytesRead at 'close' is too low");
  }

  // --- What is done to it -------------------------------------------------------------------------

  /** Ends it in another way than by both directions' ends. */
  cut(): void {
    if (this.socket.destroyed) return;
    this.wasCut = true;
    if (this.#life === Life.Connecting) this.world.wires.abandoned++;
  }

  reset(): void {
    this.isToReset ||= this.#life === Life.Open && !this.socket.destroyed;
    this.cut();
    this.socket.resetAndDestroy();
  }

  /** Whether it keeps the loop alive. */
  hold(holds: boolean): void {
    this.refed = holds;
    if (holds) this.socket.ref();
    else this.socket.unref();
  }

  pause(): void {
    // A loop, and who asks for what is there, pause and resume by themselves.
    if (this.mode === 'readable' || this.mode === 'iterator' || this.mode === 'echo') return;
    this.isStopped = !(this.#readsOnConnect && this.socket.connecting);
    this.socket.pause();
  }

  resume(): void {
    if (this.mode === 'readable' || this.mode === 'iterator') return;
    this.isStopped = false;
    this.#readsOnConnect ||= this.mode === 'onread' && this.socket.connecting;
    this.socket.resume();
  }

  destroyWith(error: Error): void {
    if (!this.socket.destroyed) this.#ownError = error;
    this.cut();
    this.socket.destroy(error);
  }

  setTimeout(ms: number): void {
    if (this.socket.destroyed) return;
    this.timeout = { ms, since: this.world.judge.now(), fired: false };
    this.socket.setTimeout(ms);
  }

  #isActive(): void {
    this.#activeAt = this.world.judge.now();
  }

  // --- What is known of it ------------------------------------------------------------------------

  get other(): End | undefined {
    return this.wire === 0 ? undefined : this.world.wires.other(this.wire, this.side);
  }

  get wasReset(): boolean {
    return this.wire !== 0 && this.world.peers.wasReset(this.wire);
  }

  get #taken(): number {
    return this.world.peers.taken(this.wire, this.side === 'client');
  }

  /** Written, and with the system no more than in part. */
  get isSending(): boolean {
    const { socket } = this;
    if (socket.destroyed || socket.writableCorked > 0 || this.wire === 0) return false;
    return this.#taken < this.sent.length;
  }

  get isFlowing(): boolean {
    const { socket, mode } = this;
    const reads = mode === 'flowing' || mode === 'paused' ? socket.readableFlowing === true : false;
    return this.#life === Life.Open && !socket.destroyed && reads && !this.#hasEnd;
  }

  /** When nothing is to come any more, unless somebody acts. */
  checkAtRest(loopIsHeld: boolean): void {
    const { socket, timeout } = this;
    if (this.isClosed || this.world.judge.hasFaults) return;
    if (socket.destroyed) this.violate("it never comes: 'close'");
    // A loop that nothing holds waits for nothing.
    if (!loopIsHeld) return;
    if (timeout.ms > 0 && !timeout.fired) this.violate("it never comes: 'timeout'");
    const isOwed = this.writes.awaitsDrain && !socket.writableEnded;
    if (isOwed && socket.writableLength === 0 && !socket.connecting) {
      this.violate("it never comes: 'drain'");
    }
    const from = this.other;
    if (from === undefined || !this.isFlowing || this.wasReset || from.wasCut) return;
    if (!(from instanceof SocketBooks) && this.received !== from.sent.length) {
      this.violate('it never comes: what a peer has sent');
    }
  }

  checkAtEnd(): void {
    if (!this.isClosed) this.violate("it never comes: 'close'", this.state);
    this.writes.checkAtEnd();
    const from = this.other;
    if (this.isToReset && !this.wasReset) this.violate('a reset that was asked for and not sent');
    const isClean = !this.wasCut && !this.hasError && from?.wasCut === false && !this.wasReset;
    if (this.wasReset && !this.wasCut && from?.wasCut === false && !this.world.judge.hasFaults) {
      this.violate('a reset that nobody has asked for');
    }
    if (isClean) this.#checkClean(from);
  }

  #checkClean(from: End): void {
    if (!this.#hasEnd && this.mode !== 'onread') this.violate("it never comes: 'end'");
    if (!this.#hasFinish) this.violate("it never comes: 'finish'");
    if (this.received !== from.sent.length) this.violate('bytes are lost', this.state);
    if (from.received !== this.sent.length) this.violate('bytes never arrive', this.state);
  }

  get state(): string {
    const { socket } = this;
    return (
      `(${socket.readyState}, ${this.mode}, received ${this.received} of ${this.other?.sent.length}, ` +
      `written ${this.sent.length}, waiting ${socket.writableLength}, ended ${socket.writableEnded}, ` +
      `destroyed ${socket.destroyed})`
    );
  }

  violate(what: string, more = ''): void {
    this.world.judge.violate(what, `${this.name} ${more}`);
  }
}

/**
 * The receives of one connection: credit out, chunks and the end of the stream in, and what arrived
 * while nobody wanted it. Beside `ConnectionWriter`; what both belong to is `TcpConnection`.
 */
import { errorName } from './binding';
import { BulkReceives } from './bulk-receives';
import type { ErrorName, Verdict } from './contract';
import type { Port } from './port';
import { isPipe } from './connection-writer';
import type { PortConnection } from './served';

/**
 * Receives that may complete before JavaScript has taken the first, so that several chunks come in
 * one turn. Also the bound on what arrives after reading was stopped, in chunks of 64 KiB at most.
 */
export const RECEIVE_CREDIT = 4;

/** What a receive brought: bytes, the end of the stream (`null`), or an error. */
export type Received = Buffer | null | { readonly error: ErrorName };

/** Takes what was received. */
export type Deliver = (what: Received) => Verdict;

enum State {
  /** Nothing is asked for yet: the socket is not connected, or its 'connection' event is not over. */
  NotYet,
  Open,
  /** The end or an error came; nothing more is asked for. */
  Ended,
  /** The connection is closing: what comes is given back unread. */
  Closed,
}

export class ConnectionReader {
  bytesRead = 0;
  reading = false;
  readonly #connection: PortConnection;
  readonly #port: Port;
  readonly #id: number;
  readonly #deliver: Deliver;
  #state = State.NotYet;
  /** Credit that the port does not have. */
  #owedCredit = RECEIVE_CREDIT;
  /** While much comes at once. */
  #bulk: BulkReceives | null = null;
  /** What arrived while reading was stopped, in order. */
  #held: Received[] | null = null;

  constructor(connection: PortConnection, port: Port, deliver: Deliver) {
    this.#connection = connection;
    this.#port = port;
    this.#id = connection.id;
    this.#deliver = deliver;
  }

  /** Whether more may come of itself. */
  get isAwaiting(): boolean {
    return this.reading && this.#state <= State.Open;
  }

  /** Whether something has arrived that the owner has not got. */
  get hasUnread(): boolean {
    return this.#held !== null || this.#port.hasUnread(this.#id);
  }

  /** From now on credit counts. */
  open(): void {
    if (this.#state !== State.NotYet) return;
    this.#state = State.Open;
    if (this.reading) this.#ask();
  }

  /** Memory that the port still has stays its own until the connection is gone. */
  close(): void {
    if (this.#state === State.Closed) return;
    this.#state = State.Closed;
    this.reading = false;
    this.#held = null;
    this.#bulk?.end();
  }

  start(): void {
    this.reading = true;
    if (this.#held !== null) this.#port.owe(this.#connection);
    else this.#ask();
  }

  stop(): void {
    this.reading = false;
  }

  /**
   * Stops, and takes back what was asked for: somebody else is to read from the socket. What the
   * system is receiving already (io_uring, Windows) still comes, and is held.
   */
  withdraw(): void {
    this.stop();
    if (this.#state !== State.Open) return;
    const { opcodes, receiveWithdraw } = this.#port.context.layout;
    this.#port.submitNow(opcodes.receive, receiveWithdraw, this.#id);
  }

  /** Stops. True if nothing was received or is being received that the owner has not got. */
  quiesce(): boolean {
    this.stop();
    if (this.#state > State.Open || this.#held !== null || this.#bulk !== null) return false;
    if (this.#owedCredit === RECEIVE_CREDIT) return true;
    this.withdraw();
    this.#port.handOver(); // in a dispatch, too
    return this.#owedCredit + this.#port.withdrawnCredit(this.#id) === RECEIVE_CREDIT;
  }

  /** Asks the port for more, by credit or, in bulk, by memory. */
  #ask(): void {
    if (this.#state !== State.Open) return;
    const bulk = this.#bulk;
    if (bulk === null) return this.#grantOwedCredit();
    // Not while chunks may come: nobody else is to receive from the same socket.
    if (!bulk.isIdle || this.#owedCredit !== RECEIVE_CREDIT) return;
    if (bulk.isOver) this.#endBulk();
    else bulk.submitRound();
  }

  #endBulk(): void {
    this.#bulk?.end();
    this.#bulk = null;
    this.#grantOwedCredit();
  }

  #grantOwedCredit(): void {
    if (this.#owedCredit === 0) return;
    this.#port.submit(this.#port.context.layout.opcodes.receive, 0, this.#id, this.#owedCredit);
    this.#owedCredit = 0;
  }

  /** A chunk, the end (0) or an error (negative). */
  complete(result: number, chunk: number, offset: number): void {
    const bulk = this.#bulk;
    const isPinned = bulk !== null && !bulk.isIdle;
    if (result > 0 && !isPinned) return this.#completeChunk(result, chunk, offset);
    const bytes = isPinned ? bulk.complete(result) : null;
    if (this.#state !== State.Open) return;
    if (bytes !== null) this.#deliverBulk(bytes);
    else if (result === 0) this.#end(null);
    else this.#completeError(errorName(this.#port.context.layout, result), offset);
  }

  #completeError(error: ErrorName, withdrawn: number): void {
    if (error === 'ECANCELED') {
      this.#owedCredit += withdrawn;
      if (this.reading) this.#ask();
      return;
    }
    // The system still holds a receive of before, so that it has to go on.
    if (error === 'EBUSY') this.#endBulk();
    else if (error !== 'EAGAIN') this.#end({ error });
    else if (this.reading) this.#ask();
  }

  #end(end: Received): void {
    this.#state = State.Ended;
    this.#bulk?.end();
    this.#bulk = null;
    this.#take(end);
  }

  #deliverBulk(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    // Before the owner sees the bytes: what is there meanwhile comes with the next turn.
    if (this.reading && this.#held === null) this.#ask();
    this.#take(bytes);
  }

  #completeChunk(length: number, chunk: number, offset: number): void {
    const { largestChunkBytes, opcodes } = this.#port.context.layout;
    if (this.#mayLend() && length < largestChunkBytes)
      return this.#lendChunk(length, chunk, offset);
    const isOpen = this.#state === State.Open;
    const bytes = isOpen ? this.#port.received.copyOut(offset, length) : null;
    // Before the owner sees the bytes: if it throws, the chunk must not be lost.
    if (isOpen && length === largestChunkBytes) this.#beginBulk();
    const goesOn = isOpen && this.reading && this.#held === null && this.#bulk === null;
    this.#port.submit(opcodes.release, 0, this.#id, chunk, goesOn ? 1 : 0);
    if (bytes === null) return;
    if (!goesOn) this.#owedCredit++;
    this.bytesRead += length;
    if (this.#bulk !== null && this.reading && this.#held === null) this.#ask();
    this.#take(bytes);
  }

  /** Native code is to have the next chunk, and takes it in at once. */
  #mayLend(): boolean {
    if (this.#state !== State.Open || !this.reading || !this.#connection.isNative) return false;
    return this.#held === null && this.#bulk === null;
  }

  #lendChunk(length: number, chunk: number, offset: number): void {
    this.bytesRead += length;
    const lent = this.#port.received.lend(chunk, offset, length);
    const verdict = this.#deliver(lent);
    if (verdict === 'unclaimed') this.#holdBack(this.#port.received.copyOut(offset, length));
    else if (!verdict) this.stop();
    const goesOn = this.#state === State.Open && this.reading && this.#held === null;
    if (!goesOn) this.#owedCredit++;
    const { release } = this.#port.context.layout.opcodes;
    this.#port.submit(release, 0, this.#id, chunk, goesOn ? 1 : 0);
  }

  #beginBulk(): void {
    if (this.#bulk !== null || !this.#port.bulk.hasRoom || isPipe(this.#connection.kind)) return;
    this.#bulk = new BulkReceives(this.#port, this.#id);
  }

  #take(what: Received): void {
    if (!this.reading || this.#held !== null) (this.#held ??= []).push(what);
    else this.#offer(what);
  }

  #offer(what: Received): void {
    const verdict = this.#deliver(what);
    if (verdict === 'unclaimed') this.#holdBack(what);
    else if (!verdict) this.stop();
  }

  /** For the owner that is in place now, before everything else. */
  #holdBack(what: Received): void {
    (this.#held ??= []).unshift(what);
    this.#port.owe(this.#connection);
  }

  /** What had arrived while reading was stopped, one after the other. */
  deliverHeld(): void {
    while (this.reading && this.#held !== null && this.#state !== State.Closed) {
      const what = this.#held.shift() as Received;
      if (this.#held.length === 0) this.#held = null;
      this.#offer(what);
    }
    if (this.reading && this.#held === null) this.#ask();
  }
}

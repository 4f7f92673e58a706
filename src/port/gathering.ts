/**
 * What belongs together leaves together: the answers to one received chunk, in one send.
 *
 * As a rule a write is sent at once, as `node:net` does; a long computation may follow, or the end of
 * the process. But a connection that has written several times in one dispatched completion, and
 * does so again, gets its second write and those after it gathered: they are submitted only, and
 * when the completion is done with its ticks, handed over in one call. They wait for at most 100 µs:
 * a look at the clock is cheaper than a system call, and a program that has computed for longer than
 * that has no use for gathering.
 */
import type { ConnectionWriter } from './connection-writer';

/** Node's, whatever a test's fake timers put in its place later. */
const now = performance.now.bind(performance);

/** How long, in milliseconds, and how many bytes of one connection may wait. */
const LONGEST_MS = 0.1;
const MOST_BYTES = 16 * 1024;
/** Writes in one completion that make a connection one whose writes are gathered in the next. */
const SEVERAL_WRITES = 3;

/** What a connection does in the completion that is being dispatched. */
export enum Turn {
  /** It has not written yet. */
  None,
  /** It has, and what it writes is sent at once. */
  Sends,
  /** It has, as in the completion before: what it writes is gathered. */
  Gathers,
  /** Something of it is submitted and not handed over. */
  Waits,
}

export class Gathering {
  /** Have written since the completion began: mostly one, and seldom more. */
  #writer: ConnectionWriter | null = null;
  #furtherWriters: ConnectionWriter[] | null = null;
  /** Of them, those that wait. */
  #waiting: ConnectionWriter[] = [];
  #since = 0;

  /** Whether this write is to be gathered. */
  gathers(writer: ConnectionWriter): boolean {
    writer.writes++;
    if (writer.turn !== Turn.None) return writer.turn !== Turn.Sends;
    writer.turn = writer.writesBefore >= SEVERAL_WRITES ? Turn.Gathers : Turn.Sends;
    if (this.#writer === null) this.#writer = writer;
    else (this.#furtherWriters ??= []).push(writer);
    return false;
  }

  /** After a write that is to be gathered was submitted: hands it over if it waits for long. */
  add(writer: ConnectionWriter): void {
    if (writer.turn !== Turn.Waits) {
      writer.turn = Turn.Waits;
      if (this.#waiting.length === 0) this.#since = now();
      this.#waiting.push(writer);
    }
    if (writer.queued > MOST_BYTES) this.handOverNow(writer);
    else if (now() - this.#since > LONGEST_MS) this.#handOverWaiting();
  }

  /** The completion is done. */
  handOver(): void {
    if (this.#waiting.length !== 0) this.#handOverWaiting();
    if (this.#writer !== null) endTurn(this.#writer);
    this.#writer = null;
    if (this.#furtherWriters === null) return;
    for (const writer of this.#furtherWriters) endTurn(writer);
    this.#furtherWriters = null;
  }

  get hasWriters(): boolean {
    return this.#writer !== null;
  }

  /** What is gathered of this connection. */
  handOverNow(writer: ConnectionWriter): void {
    if (writer.turn !== Turn.Waits) return;
    writer.turn = Turn.Gathers;
    writer.handOver();
  }

  #handOverWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) this.handOverNow(writer);
  }
}

function endTurn(writer: ConnectionWriter): void {
  writer.turn = Turn.None;
  writer.writesBefore = writer.writes;
  writer.writes = 0;
}

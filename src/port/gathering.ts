/**
 * What belongs together leaves together: the answers to one received chunk, in one send.
 *
 * A connection's first write in a dispatch is sent at once, as `node:net` would; it may be all that
 * there is, or a long computation may follow. What the connection writes after that, until the
 * completion that is being dispatched is done with its ticks, is submitted only, and then handed
 * over in one call that gathers it. For at most 100 µs: a look at the clock is cheaper than a system
 * call, and a program that has computed for longer than that has no use for it.
 */
import { performance } from 'node:perf_hooks';
import type { NativePortGroup } from './binding';
import type { ConnectionWriter } from './connection-writer';

const now = performance.now.bind(performance);

/** How long, in milliseconds, and how many bytes of one connection may wait. */
const LONGEST_MS = 0.1;
const MOST_BYTES = 16 * 1024;

/** What a connection has done since the completion began that is being dispatched. */
export enum Turn {
  None,
  HasSent,
  /** Something of it is submitted and not handed over. */
  Gathers,
}

export class Gathering {
  readonly #group: NativePortGroup;
  readonly #ordinal: number;
  /** Have sent something since the completion began. */
  #senders: ConnectionWriter[] = [];
  /** Of them, those with something submitted and not handed over. */
  #waiting: ConnectionWriter[] = [];
  #since = 0;

  constructor(group: NativePortGroup, ordinal: number) {
    this.#group = group;
    this.#ordinal = ordinal;
  }

  /** False for a connection's first write. */
  gathers(writer: ConnectionWriter): boolean {
    if (writer.turn !== Turn.None) return true;
    writer.turn = Turn.HasSent;
    this.#senders.push(writer);
    return false;
  }

  add(writer: ConnectionWriter): void {
    if (writer.turn === Turn.HasSent) {
      writer.turn = Turn.Gathers;
      if (this.#waiting.length === 0) this.#since = now();
      this.#waiting.push(writer);
    }
    if (writer.queued > MOST_BYTES || now() - this.#since > LONGEST_MS) this.#handOverWaiting();
  }

  /** The completion is done. */
  handOver(): void {
    if (this.#senders.length === 0) return;
    if (this.#waiting.length !== 0) this.#handOverWaiting();
    for (const writer of this.#senders) writer.turn = Turn.None;
    this.#senders.length = 0;
  }

  #handOverWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) {
      writer.turn = Turn.HasSent;
      // Its completions are still to come, but what they say is known.
      if (this.#group.submit(this.#ordinal, writer.id)) writer.completeAhead();
    }
  }
}

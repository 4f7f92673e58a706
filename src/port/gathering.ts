/**
 * What belongs together leaves together: one call into the core, and one system call per connection,
 * for the answers to one received chunk, and for those to all that arrived in one turn of the event
 * loop.
 *
 * A lone write is sent at once, as `node:net` does; a long computation may follow, or the end of the
 * process. A write is gathered, that is submitted only, while other completions of a dispatch of
 * many (`dispatch.ts`) are still to come, or if the connection is one that writes several times per
 * completion, as the one before has shown. What is gathered is handed over when the dispatch ends, or when the
 * oldest of it has waited for 250 µs: a look at the clock is cheaper than a system call, and a
 * program that has computed for longer than that has no use for gathering. Should it compute for
 * very long, the helper sends; where there is none, only the second case remains.
 */

/** Node's, whatever a test's fake timers put in its place later. */
const now = performance.now.bind(performance);

/** How long, in milliseconds, and how many bytes of one connection may wait. */
const LONGEST_MS = 0.25;
const MOST_BYTES = 16 * 1024;
/** Writes in one completion that make a connection one whose writes are gathered in the next. */
const SEVERAL_WRITES = 3;

/** A connection's writer, with what is noted of it here. */
export interface Gathered {
  /** Bytes submitted and not yet completed. */
  readonly queued: number;
  /** The last completion in which it has written, how often, and how often in that before. */
  completion: number;
  writes: number;
  writesBefore: number;
}

export class Gathering {
  /** Of the completion that is being dispatched. */
  #completion = 0;
  #since = 0;
  /** Something is submitted and not handed over. */
  isWaiting = false;

  /** A completion is over. */
  next(): void {
    this.#completion = (this.#completion + 1) | 0;
  }

  /** Whether this write is to be gathered. `othersFollow` in the same dispatch. */
  gathers(writer: Gathered, othersFollow: boolean): boolean {
    if (writer.completion !== this.#completion) {
      writer.completion = this.#completion;
      writer.writesBefore = writer.writes;
      writer.writes = 0;
    }
    writer.writes++;
    if (othersFollow || this.isWaiting) return true;
    return writer.writes > 1 && writer.writesBefore >= SEVERAL_WRITES;
  }

  /** A write that is to be gathered was submitted. True if that is to be handed over now. */
  add(writer: Gathered): boolean {
    if (this.isWaiting) return writer.queued > MOST_BYTES || now() - this.#since > LONGEST_MS;
    this.isWaiting = true;
    this.#since = now();
    return false;
  }

  /** It was handed over. */
  end(): void {
    this.isWaiting = false;
  }
}

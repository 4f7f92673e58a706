/**
 * JavaScript's ends of the two rings. Both are single-producer single-consumer; the protocol, the
 * wake-ups included, is described at the top of `completion_port/layout.h`.
 */
import type { Layout, Region } from './binding';

function wordsOf(region: Region): Int32Array {
  return new Int32Array(region.buffer, region.offset, region.bytes >> 2);
}

/** What a full submission ring keeps until there is room: records, one after the other. */
type Backlog = number[];

/** Writes submissions. The port can see each at once. */
export class SubmissionRing {
  readonly #words: Int32Array;
  readonly #recordWords: number;
  readonly #first: number;
  readonly #mask: number;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #asleepWord: number;
  readonly #driverWord: number;
  readonly #offloadWord: number;
  readonly #helpedWord: number;
  readonly #thread: number;
  readonly #opcode: number;
  readonly #flags: number;
  readonly #id: number;
  readonly #arg0: number;
  readonly #arg1: number;
  readonly #arg2: number;
  readonly #arg3: number;
  #tail = 0;
  #knownHead = 0;
  #backlog: Backlog = [];

  constructor(layout: Layout, region: Region, entries: number) {
    this.#words = wordsOf(region);
    this.#recordWords = layout.recordWords;
    this.#first = layout.submissionsOffset >> 2;
    this.#mask = entries - 1;
    this.#tailWord = layout.header.submissionTail;
    this.#headWord = layout.header.submissionHead;
    this.#asleepWord = layout.header.portAsleep;
    this.#driverWord = layout.header.driver;
    this.#offloadWord = layout.header.offload;
    this.#helpedWord = layout.header.helped;
    this.#thread = layout.threadDrives;
    this.#opcode = layout.submission.opcode;
    this.#flags = layout.submission.flags;
    this.#id = layout.submission.id;
    this.#arg0 = layout.submission.arg0;
    this.#arg1 = layout.submission.arg1;
    this.#arg2 = layout.submission.arg2;
    this.#arg3 = layout.submission.arg3;
  }

  /** Submits one operation. Never fails: what finds no room is kept here and written later. */
  write(
    opcode: number,
    flags: number,
    id: number,
    arg0: number,
    arg1: number,
    arg2: number,
    arg3: number,
  ): void {
    if (this.#backlog.length !== 0 || !this.#hasRoom()) {
      this.#backlog.push(opcode, flags, id, arg0, arg1, arg2, arg3);
      return;
    }
    this.#put(opcode, flags, id, arg0, arg1, arg2, arg3);
    Atomics.store(this.#words, this.#tailWord, this.#tail);
  }

  /** Whether a thread drives the port now, and not the event loop. */
  get threadDrives(): boolean {
    return Atomics.load(this.#words, this.#driverWord) === this.#thread;
  }

  // Hints, which may be late: no order with other words is needed, and V8 calls for an atomic load.

  /** Whether it does so to take work off this thread, sending too. */
  get offloads(): boolean {
    return this.#words[this.#offloadWord] === 1;
  }

  /** Whether a thread drives when this one is away for long. */
  get isHelped(): boolean {
    return this.#words[this.#helpedWord] === 1;
  }

  /** True when something waits for room. */
  get full(): boolean {
    return this.#backlog.length !== 0;
  }

  /** Writes what waits, as far as there is room. */
  writeBacklog(): void {
    if (this.#backlog.length === 0) return;
    this.#writeBacklog();
    Atomics.store(this.#words, this.#tailWord, this.#tail);
  }

  /** True if the thread that drives slept; it is the caller's to wake. */
  takeSleeper(): boolean {
    const words = this.#words;
    return (
      Atomics.load(words, this.#asleepWord) === 1 &&
      Atomics.exchange(words, this.#asleepWord, 0) === 1
    );
  }

  #hasRoom(): boolean {
    if (((this.#tail - this.#knownHead) | 0) <= this.#mask) return true;
    this.#knownHead = Atomics.load(this.#words, this.#headWord);
    return ((this.#tail - this.#knownHead) | 0) <= this.#mask;
  }

  #put(
    opcode: number,
    flags: number,
    id: number,
    arg0: number,
    arg1: number,
    arg2: number,
    arg3: number,
  ): void {
    const words = this.#words;
    const at = this.#first + (this.#tail & this.#mask) * this.#recordWords;
    words[at + this.#opcode] = opcode;
    words[at + this.#flags] = flags;
    words[at + this.#id] = id;
    words[at + this.#arg0] = arg0;
    words[at + this.#arg1] = arg1;
    words[at + this.#arg2] = arg2;
    words[at + this.#arg3] = arg3;
    this.#tail = (this.#tail + 1) | 0;
  }

  #writeBacklog(): void {
    const waiting = this.#backlog;
    let next = 0;
    while (next < waiting.length && this.#hasRoom()) {
      this.#put(
        waiting[next] as number,
        waiting[next + 1] as number,
        waiting[next + 2] as number,
        waiting[next + 3] as number,
        waiting[next + 4] as number,
        waiting[next + 5] as number,
        waiting[next + 6] as number,
      );
      next += 7;
    }
    this.#backlog = waiting.slice(next);
  }
}

/** Reads completions. `next()` moves to a record, whose fields then stand in the properties. */
export class CompletionRing {
  opcode = 0;
  id = 0;
  result = 0;
  arg0 = 0;
  arg1 = 0;

  readonly #words: Int32Array;
  readonly #recordWords: number;
  readonly #first: number;
  readonly #mask: number;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #overflowWord: number;
  readonly #opcode: number;
  readonly #id: number;
  readonly #result: number;
  readonly #arg0: number;
  readonly #arg1: number;
  #head = 0;
  #knownTail = 0;

  constructor(layout: Layout, region: Region, submissionEntries: number, entries: number) {
    this.#words = wordsOf(region);
    this.#recordWords = layout.recordWords;
    this.#first = (layout.submissionsOffset >> 2) + submissionEntries * layout.recordWords;
    this.#mask = entries - 1;
    this.#tailWord = layout.header.completionTail;
    this.#headWord = layout.header.completionHead;
    this.#overflowWord = layout.header.completionOverflow;
    this.#opcode = layout.completion.opcode;
    this.#id = layout.completion.id;
    this.#result = layout.completion.result;
    this.#arg0 = layout.completion.arg0;
    this.#arg1 = layout.completion.arg1;
  }

  /** Reads one completion into the properties; false when there is none. */
  next(): boolean {
    if (this.#head === this.#knownTail) {
      this.#knownTail = Atomics.load(this.#words, this.#tailWord);
      if (this.#head === this.#knownTail) return false;
    }
    const words = this.#words;
    const at = this.#at(this.#head);
    this.opcode = words[at + this.#opcode] as number;
    this.id = words[at + this.#id] as number;
    this.result = words[at + this.#result] as number;
    this.arg0 = words[at + this.#arg0] as number;
    this.arg1 = words[at + this.#arg1] as number;
    this.#head = (this.#head + 1) | 0;
    return true;
  }

  /** The record that was read is the next again. */
  putBack(): void {
    this.#head = (this.#head - 1) | 0;
  }

  /** Completions that can be read now. */
  get ready(): number {
    this.#knownTail = Atomics.load(this.#words, this.#tailWord);
    return (this.#knownTail - this.#head) | 0;
  }

  /** Looks at the completions of this kind that wait here for the socket, and leaves them. */
  peek(opcode: number, id: number, seen: (result: number, arg1: number) => void): void {
    const words = this.#words;
    const { ready } = this;
    for (let i = 0; i < ready; i++) {
      const at = this.#at(this.#head + i);
      if (words[at + this.#opcode] !== opcode || words[at + this.#id] !== id) continue;
      seen(words[at + this.#result] as number, words[at + this.#arg1] as number);
    }
  }

  /**
   * Puts such completions behind the others, of what can be read now; both keep their order. How many
   * come before them.
   */
  putLast(isLast: (opcode: number, id: number) => boolean): number {
    const words = this.#words;
    const records = Array.from({ length: this.ready }, (_, i) => {
      const at = this.#at(this.#head + i);
      return words.slice(at, at + this.#recordWords);
    });
    const [first, last]: [Int32Array[], Int32Array[]] = [[], []];
    for (const record of records) {
      const waits = isLast(record[this.#opcode] as number, record[this.#id] as number);
      (waits ? last : first).push(record);
    }
    [...first, ...last].forEach((record, i) => words.set(record, this.#at(this.#head + i)));
    return first.length;
  }

  #at(index: number): number {
    return this.#first + (index & this.#mask) * this.#recordWords;
  }

  /** Gives the slots read so far back. True if the port holds completions back and must be woken. */
  release(): boolean {
    Atomics.store(this.#words, this.#headWord, this.#head);
    return Atomics.load(this.#words, this.#overflowWord) === 1;
  }
}

/**
 * How completions reach JavaScript: in which order, how many at a time, and with what between them.
 * To whom one goes is the port's to say (`port.ts`).
 */
import { channels } from '../diagnostics/channels';
import type { Gathering } from './gathering';
import type { CompletionRing, SubmissionRing } from './ring';
import { canRunTicks, runTicks } from './ticks';

const now = performance.now.bind(performance);

/** Completions per turn of the event loop; then timers and other I/O have their turn. */
const DISPATCH_LIMIT = canRunTicks ? 1024 : 1;
/** How long a turn may take, in milliseconds, before it is looked at. */
const DISPATCH_MS = 5;
/**
 * Completions after which that is looked at, and a thread that drives is told of what was submitted
 * meanwhile. A new connection may have cost so much that it is looked at after each.
 */
const LOOK_INTERVAL = 4;
/**
 * Completions in a dispatch from which on what it writes is held back for its end. The peers of
 * fewer would wait for us until then, and we for them right after: HTTP on two connections took 1.8
 * times the CPU time of `node:net` and went half as fast, on four 1.5 times.
 */
const FEWEST_HELD_BACK = 8;

/** How what comes next is to be delivered; the numbers are the binding's too (`native_port.h`). */
export enum Next {
  Nothing,
  /** In a callback scope of Node's. */
  Scoped,
  /** In none: it makes its own. */
  Bare,
}

/** Has something to deliver that came before. */
export interface Owed {
  readonly isNative: boolean;
  deliverHeld(): void;
}

/** A port, for its dispatch. */
export interface DispatchedPort {
  readonly gathering: Gathering;
  /** Tells whoever it is for. */
  complete(completion: CompletionRing): void;
  /** The same where nobody has to be told; false where somebody has. */
  completeQuietly(completion: CompletionRing): boolean;
  /** Whether it goes into native code. */
  isForNative(completion: CompletionRing): boolean;
  /** What the completion that is being dispatched has brought: it may read when that is over. */
  newcomer: { beginReading(): void } | null;
  /** What was submitted is done as far as that can be at once. */
  handOver(): void;
  /** The submission ring is full. */
  makeRoom(): void;
  /** A thread that drives learns of what was submitted. */
  wakeThread(): void;
  fatalException(error: unknown): void;
  /** Somebody wants to know who drives. */
  lookWhoDrives(): void;
}

export class Dispatch {
  readonly #port: DispatchedPort;
  readonly #submissions: SubmissionRing;
  readonly #completions: CompletionRing;
  /** Whether one is under way. */
  isRunning = false;
  /** Completions that it has yet to read. */
  #left = 0;
  #begun = 0;
  #holdsBack = false;
  /** The ring's current completion was read and not dispatched. */
  #isRead = false;
  #owed: Owed[] | null = null;

  constructor(port: DispatchedPort, submissions: SubmissionRing, completions: CompletionRing) {
    this.#port = port;
    this.#submissions = submissions;
    this.#completions = completions;
  }

  /** Many are dispatched, others follow, and a thread would send meanwhile if it took long. */
  get mayHoldBack(): boolean {
    return this.#left > 0 && this.#holdsBack;
  }

  /**
   * Delivers the completions that there are, once in a round of the event loop. What comes meanwhile
   * waits for the next: programs expect that a `setImmediate()` made in a callback runs before the
   * next callback that the network can cause (with a connection to itself, Node's own tests do).
   *
   * The binding calls it in a callback scope of Node's, or in none (`isBare`), and again as often as
   * the answer says in which the next completion wants to be delivered.
   */
  readonly deliver = (isBare: boolean): Next => {
    if (!this.isRunning) this.#begin();
    for (;;) {
      const next = this.#next();
      if (next === Next.Nothing) break;
      if (isBare !== (next === Next.Bare)) return next;
      this.#deliverOne(isBare);
    }
    this.#end();
    return Next.Nothing;
  };

  /** Something waits to be delivered, in a callback of its own. True if nothing was owed before. */
  owe(to: Owed): boolean {
    this.#owed ??= [];
    if (this.#owed.includes(to)) return false;
    return this.#owed.push(to) === 1;
  }

  #begin(): void {
    this.isRunning = true;
    if (channels.drive.hasSubscribers) this.#port.lookWhoDrives();
    this.#left = Math.min(DISPATCH_LIMIT, this.#completions.ready);
    this.#begun = this.#left > 1 ? now() : 0;
    this.#holdsBack = this.#left >= FEWEST_HELD_BACK && this.#submissions.isHelped;
  }

  #end(): void {
    if (this.#port.gathering.isWaiting) this.#sendGathered();
    this.#releaseCompletions();
    this.isRunning = false;
    if (this.#submissions.full) this.#port.makeRoom();
  }

  /** Mostly that completes at once: what nobody waits for needs no turn of its own. */
  #sendGathered(): void {
    this.#port.handOver();
    while (this.#completions.next()) {
      if (this.#port.completeQuietly(this.#completions)) continue;
      this.#completions.putBack();
      return;
    }
  }

  /** What comes next, and how it is to be called: what is owed, then the next completion. */
  #next(): Next {
    if (this.#owed !== null) return this.#owed[0]?.isNative ? Next.Bare : Next.Scoped;
    while (!this.#isRead) {
      if (this.#left === 0 || !this.#completions.next()) return Next.Nothing;
      this.#left--;
      this.#isRead = !this.#port.completeQuietly(this.#completions);
    }
    return this.#port.isForNative(this.#completions) ? Next.Bare : Next.Scoped;
  }

  /** The room of what was read is the port's again; and a thread learns of what was submitted. */
  #releaseCompletions(): void {
    const isRoomWanted = this.#completions.release();
    if (isRoomWanted || this.#submissions.threadDrives) this.#port.wakeThread();
  }

  #look(): void {
    if (this.#left > 0 && now() - this.#begun > DISPATCH_MS) this.#left = 0;
    if (this.#submissions.threadDrives) this.#releaseCompletions();
  }

  /** One completion, then the ticks and microtasks it caused, then what it has answered. */
  #deliverOne(isBare: boolean): void {
    const owed = this.#owed === null ? null : this.#takeOwed();
    try {
      if (owed !== null) owed.deliverHeld();
      else this.#port.complete(this.#completions);
    } catch (error) {
      this.#port.fatalException(error);
    }
    if (owed === null) {
      this.#isRead = false;
      if (this.#left % LOOK_INTERVAL === 0 || this.#port.newcomer !== null) this.#look();
    }
    // Native code has run them at the end of its own callbacks.
    if (!isBare) this.#runTicks();
    this.#port.gathering.next();
    const { newcomer } = this.#port;
    if (newcomer === null) return;
    this.#port.newcomer = null;
    newcomer.beginReading();
  }

  #runTicks(): void {
    try {
      runTicks();
    } catch (error) {
      this.#port.fatalException(error);
    }
  }

  #takeOwed(): Owed | null {
    const owed = this.#owed?.shift() ?? null;
    if (this.#owed?.length === 0) this.#owed = null;
    return owed;
  }
}

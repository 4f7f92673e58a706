/**
 * How completions reach JavaScript: in which order, how many at a time, and with what between them.
 * To whom one goes is the port's to say (`port.ts`).
 */
import { channels } from '../diagnostics/channels';
import type { Gathering } from './gathering';
import type { CompletionRing, SubmissionRing } from './ring';
import { canRunTicks, runTicks } from './ticks';

/** Node's, whatever a test's fake timers put in its place later. */
export const now = performance.now.bind(performance);

/** Completions per turn of the event loop; then timers and other I/O have their turn. */
const DISPATCH_LIMIT = canRunTicks ? 1024 : 1;
/** How long a turn may take, in milliseconds; then the rest is for the loop's next round. */
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
  /** What is left is for the next round of the event loop. */
  Later,
}

/** Where in the event loop a dispatch is; the numbers are the binding's too (`event_loop.h`). */
export enum Phase {
  /** It tells of what arrives, and of requests: what is closed waits for the next. */
  Polled,
  /** It tells of what is closed, and of requests: what arrives waits for the next round. */
  Closing,
  /** It tells of everything. */
  Any,
}

/** Has something to deliver that came before. */
export interface Owed {
  readonly isNative: boolean;
  deliverHeld(): void;
}

/** Datagrams that are there for JavaScript. */
export interface ReceivedDatagrams {
  /** Some were received, or are to be asked for. */
  readonly hasReceived: boolean;
  /** They have had their time in this dispatch. */
  readonly isTimeUp: boolean;
  /** A dispatch begins. */
  awaitTurn(): void;
  /** One to its owner, or an error; or nothing, where there was none. */
  deliverOne(): void;
}

/** A port, for its dispatch. */
export interface DispatchedPort {
  readonly gathering: Gathering;
  /** Whether a completion is what arrives on a connection that reads. */
  readonly isArrival: (opcode: number, id: number) => boolean;
  readonly datagrams: ReceivedDatagrams | null;
  /** Datagrams are held for the end of the dispatch. */
  readonly holdsDatagrams: boolean;
  sendDatagrams(): void;
  /** Tells whoever it is for. */
  complete(completion: CompletionRing): void;
  /** The same where nobody has to be told now; false where somebody has. */
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
  /** Another dispatch is wanted, in the closing phase of the event loop. */
  deliverSoon(): void;
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
  /** It leaves some for the next. */
  #isCut = false;
  /** The ring's current completion was read and not dispatched. */
  #isRead = false;
  readonly #owed: Owed[] = [];
  /** Closes that were read before the closing phase, and wait for it. */
  readonly #closes: Owed[] = [];
  /** That of the dispatch under way. */
  #phase = Phase.Any;

  constructor(port: DispatchedPort, submissions: SubmissionRing, completions: CompletionRing) {
    this.#port = port;
    this.#submissions = submissions;
    this.#completions = completions;
  }

  /** Something else is to be delivered in this dispatch. */
  get othersFollow(): boolean {
    if (!this.isRunning) return false;
    return this.#left > 0 || this.#owed.length > 0 || this.#hasDatagrams();
  }

  /** Many are dispatched, others follow, and a thread would send meanwhile if it took long. */
  get mayHoldBack(): boolean {
    return this.#left > 0 && this.#holdsBack;
  }

  /**
   * Delivers the completions that there are, once in a round of the event loop. What comes meanwhile
   * waits for the next: programs expect that a `setImmediate()` made in a callback runs before the
   * next callback that the network can cause (with a connection to itself, Node's own tests do). So
   * do datagrams whose time is up (`Next.Later`), which come last: who floods one socket is not to hold
   * up connections.
   *
   * The binding calls it in a callback scope of Node's, or in none (`isBare`), and again as often as
   * the answer says in which the next completion wants to be delivered.
   */
  readonly deliver = (isBare: boolean, phase: Phase): Next => {
    if (!this.isRunning) this.#begin(phase);
    for (;;) {
      const next = this.#next();
      if (next === Next.Nothing || next === Next.Later) {
        // Who waits for them is called in a tick, for which there is to be a scope.
        if (isBare && this.#port.holdsDatagrams) return Next.Scoped;
        this.#end();
        return this.#isCut || this.#hasDatagrams() ? Next.Later : next;
      }
      if (isBare !== (next === Next.Bare)) return next;
      this.#deliverOne(isBare);
    }
  };

  /** Something waits to be delivered, in a callback of its own. True if nothing was owed before. */
  owe(to: Owed): boolean {
    if (this.#owed.includes(to)) return false;
    return this.#owed.push(to) === 1;
  }

  /** Something is closed: that is told now, or in the closing phase. */
  close(to: Owed): void {
    if (this.#phase !== Phase.Polled) return to.deliverHeld();
    if (this.#closes.push(to) === 1) this.#port.deliverSoon();
  }

  #begin(phase: Phase): void {
    this.isRunning = true;
    this.#phase = phase;
    if (phase !== Phase.Polled) this.#owed.unshift(...this.#closes.splice(0));
    if (channels.drive.hasSubscribers) this.#port.lookWhoDrives();
    const { ready } = this.#completions;
    const told = phase === Phase.Closing ? this.#completions.putLast(this.#port.isArrival) : ready;
    this.#left = Math.min(DISPATCH_LIMIT, told);
    this.#isCut = this.#left < ready;
    this.#port.datagrams?.awaitTurn();
    this.#begun = this.#left > 1 ? now() : 0;
    this.#holdsBack = this.#left >= FEWEST_HELD_BACK && this.#submissions.isHelped;
  }

  #end(): void {
    if (this.#port.gathering.isWaiting) this.#sendGathered();
    this.#port.sendDatagrams();
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

  /**
   * What comes next, and how it is to be called: what is owed, then the next completion, then
   * datagrams.
   */
  #next(): Next {
    const owed = this.#owed[0];
    if (owed !== undefined) return owed.isNative ? Next.Bare : Next.Scoped;
    while (!this.#isRead) {
      if (this.#left === 0 || !this.#completions.next()) return this.#nextDatagram();
      this.#left--;
      this.#isRead = !this.#port.completeQuietly(this.#completions);
    }
    return this.#port.isForNative(this.#completions) ? Next.Bare : Next.Scoped;
  }

  #hasDatagrams(): boolean {
    return this.#port.datagrams?.hasReceived === true;
  }

  #nextDatagram(): Next {
    if (!this.#hasDatagrams()) return Next.Nothing;
    if (this.#phase === Phase.Closing) return Next.Later;
    return this.#port.datagrams?.isTimeUp ? Next.Later : Next.Scoped;
  }

  /** The room of what was read is the port's again; and a thread learns of what was submitted. */
  #releaseCompletions(): void {
    const isRoomWanted = this.#completions.release();
    if (isRoomWanted || this.#submissions.threadDrives) this.#port.wakeThread();
  }

  #look(): void {
    if (this.#left > 0 && now() - this.#begun > DISPATCH_MS) {
      this.#isCut = true;
      this.#left = 0;
    }
    if (this.#submissions.threadDrives) this.#releaseCompletions();
  }

  #isLookDue(): boolean {
    return (this.#left > 0 && this.#left % LOOK_INTERVAL === 0) || this.#port.newcomer !== null;
  }

  /** One completion or datagram, then the ticks and microtasks it caused, then what it has answered. */
  #deliverOne(isBare: boolean): void {
    const owed = this.#takeOwed();
    try {
      if (owed !== null) owed.deliverHeld();
      else if (this.#isRead) this.#port.complete(this.#completions);
      else this.#deliverDatagram();
    } catch (error) {
      this.#port.fatalException(error);
    }
    if (owed === null) this.#isRead = false;
    if (this.#isLookDue()) this.#look();
    // Native code has run them at the end of its own callbacks.
    if (!isBare) this.#runTicks();
    this.#port.gathering.next();
    const { newcomer } = this.#port;
    if (newcomer === null) return;
    this.#port.newcomer = null;
    newcomer.beginReading();
  }

  /** What connections have written does not wait for datagrams. */
  #deliverDatagram(): void {
    if (this.#port.gathering.isWaiting) this.#sendGathered();
    this.#port.datagrams?.deliverOne();
  }

  #runTicks(): void {
    try {
      runTicks();
    } catch (error) {
      this.#port.fatalException(error);
    }
  }

  #takeOwed(): Owed | null {
    // Mostly there is one, or none; a list of one is cheaper to pop than to shift.
    const owed = this.#owed.length > 1 ? this.#owed.shift() : this.#owed.pop();
    return owed ?? null;
  }
}

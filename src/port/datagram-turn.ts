/**
 * How long the datagrams of a dispatch have. They are delivered behind everything else of it: a
 * flood of them never ends, and connections wait for what JavaScript makes of each.
 */
import { now } from './dispatch';

/**
 * In milliseconds. Datagrams may take as long as everything else has taken since their last turn, so
 * that a program which is busy with connections loses none that another one would not; as long as
 * the least of it at any rate, so that a round of the event loop costs little beside it.
 */
const LEAST_MS = 1;
const MOST_MS = 5;
/** On a port that is there for datagrams alone others are to have their turn soon. */
const ALONE_MS = 0.25;

enum State {
  /** None of this dispatch is delivered yet. */
  Awaited,
  Begun,
  /** What is left is for the next dispatch. */
  Over,
}

export class DatagramTurn {
  readonly #least: number;
  readonly #most: number;
  #state = State.Awaited;
  #end = 0;
  /** When the last one was over. */
  #lastEnd = 0;

  /** `isAlone`: of a port that has datagrams alone. */
  constructor(isAlone: boolean) {
    this.#least = isAlone ? ALONE_MS : LEAST_MS;
    this.#most = isAlone ? ALONE_MS : MOST_MS;
  }

  get isOver(): boolean {
    return this.#state === State.Over;
  }

  /** A dispatch begins. */
  await(): void {
    this.#state = State.Awaited;
  }

  /** A datagram is to be delivered. */
  begin(): void {
    if (this.#state !== State.Awaited) return;
    this.#state = State.Begun;
    const time = now();
    this.#end = time + Math.min(this.#most, Math.max(this.#least, time - this.#lastEnd));
  }

  /** It was delivered. A listener may take so long that this is asked after each. */
  look(): void {
    const time = now();
    this.#lastEnd = time;
    if (time > this.#end) this.#state = State.Over;
  }
}

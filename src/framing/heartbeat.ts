/**
 * Heart-beats: whether the peer at the other end still answers. TCP itself says so only after many
 * minutes, and only of the peer's system, not of its program.
 *
 * One timer of a connection. It is not set anew for what arrives, but looks how long that is ago.
 */
import { checkInteger, longestTimer } from '../check-integer';
import { invalidValue } from '../invalid-value';
import { invalidType } from '../node-argument-errors';
import { optionsOf } from './codec';
import { FramingError } from './errors';

export interface HeartbeatOptions<Received, Sent> {
  /** A ping is sent when nothing came for so many milliseconds, 1 to 2^31 - 1. Default 15,000. */
  interval?: number | undefined;
  /**
   * The connection is destroyed (`ERR_HEARTBEAT_TIMEOUT`) when nothing came for so many milliseconds,
   * more than `interval` and at most 2^31 - 1. Default three intervals.
   */
  timeout?: number | undefined;
  /** Makes a ping. */
  ping(): Sent;
  /** Whether a frame is a ping of the peer's. It is answered, and not delivered. */
  isPing(frame: Received): boolean;
  /** Makes the answer to a ping. */
  pong(ping: Received): Sent;
  /** Whether a frame is the answer to a ping. It is not delivered. */
  isPong(frame: Received): boolean;
}

/** What heart-beats need of their connection. */
export interface HeartbeatLink<Sent> {
  /** Whether what the peer sends would be seen: else its silence says nothing. */
  isHearing(): boolean;
  /** Whether something can be sent, now or later. */
  isSending(): boolean;
  /** Whether nothing waits to be sent. */
  hasRoom(): boolean;
  send(frame: Sent): void;
  giveUp(error: Error): void;
}

const DEFAULT_INTERVAL_MS = 15_000;
const DEFAULT_INTERVALS = 3;
const timerRange = [1, longestTimer] as const;
const callbacks = ['ping', 'isPing', 'pong', 'isPong'] as const;

function timesOf(options: HeartbeatOptions<never, unknown>): { interval: number; timeout: number } {
  const { interval = DEFAULT_INTERVAL_MS } = options;
  checkInteger('options.heartbeat.interval', interval, timerRange);
  const { timeout = Math.min(interval * DEFAULT_INTERVALS, longestTimer) } = options;
  checkInteger('options.heartbeat.timeout', timeout, timerRange);
  if (timeout > interval) return { interval, timeout };
  throw invalidValue('options.heartbeat.timeout', timeout, 'it is no longer than the interval');
}

export class Heartbeat<Received, Sent> {
  readonly #options: HeartbeatOptions<Received, Sent>;
  readonly #link: HeartbeatLink<Sent>;
  readonly #interval: number;
  readonly #timeout: number;
  #heardAt = performance.now();
  /** The first ping of this silence, and the last. */
  #askedAt = -Infinity;
  #pingedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;
  /** The last ping that could not be answered yet: who asks and does not read gets one answer. */
  #unanswered: Received | undefined;

  /** Throws for bad options. Begins with `start()`. */
  constructor(given: HeartbeatOptions<Received, Sent>, link: HeartbeatLink<Sent>) {
    const options = optionsOf(given);
    for (const name of callbacks) {
      const callback: unknown = options[name];
      if (typeof callback !== 'function') {
        throw invalidType(`options.heartbeat.${name}`, 'function', callback);
      }
    }
    const { interval, timeout } = timesOf(options);
    this.#options = options;
    this.#link = link;
    this.#interval = interval;
    this.#timeout = timeout;
  }

  start(): void {
    this.#setTimer(this.#interval);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastLook);
    this.#unanswered = undefined;
  }

  /** Something came, of whatever kind. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** Whether the frame was a ping or a pong, and is dealt with. */
  takes(frame: Received): boolean {
    const options = this.#options;
    if (options.isPong(frame)) return true;
    if (!options.isPing(frame)) return false;
    if (this.#link.hasRoom()) this.#answer(frame);
    else this.#unanswered = frame;
    return true;
  }

  /** What had waited to be sent is gone. */
  drained(): void {
    const frame = this.#unanswered;
    this.#unanswered = undefined;
    if (frame !== undefined) this.#answer(frame);
  }

  #answer(ping: Received): void {
    if (this.#link.isSending()) this.#link.send(this.#options.pong(ping));
  }

  #setTimer(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.ceil(milliseconds)).unref();
  }

  #look(): void {
    const now = performance.now();
    if (!this.#link.isHearing()) this.#heardAt = now;
    const silence = now - this.#heardAt;
    if (silence < this.#interval) return this.#setTimer(this.#interval - silence);
    // A process that was stopped, or computed, has not asked yet.
    if (this.#askedAt < this.#heardAt) this.#askedAt = now;
    const giveUpAt = Math.max(
      this.#heardAt + this.#timeout,
      this.#askedAt + this.#timeout - this.#interval,
    );
    if (now >= giveUpAt) return this.#lookOnceMore();
    if (now - this.#pingedAt >= this.#interval) this.#ping(now);
    this.#setTimer(Math.min(this.#pingedAt + this.#interval, giveUpAt) - now);
  }

  #ping(now: number): void {
    this.#pingedAt = now;
    if (!this.#link.isSending()) return;
    try {
      this.#link.send(this.#options.ping());
    } catch (error) {
      this.#link.giveUp(error as Error);
    }
  }

  /** Timers come before what has arrived, so a late one must not judge by what was read before. */
  #lookOnceMore(): void {
    const heardAt = this.#heardAt;
    this.#lastLook = setImmediate(() => {
      if (this.#heardAt > heardAt) return this.#look();
      const text = `Nothing came from the peer for ${this.#timeout} ms`;
      const timeout = this.#timeout;
      this.#link.giveUp(new FramingError('ERR_HEARTBEAT_TIMEOUT', text, { timeout }));
    }).unref();
  }
}

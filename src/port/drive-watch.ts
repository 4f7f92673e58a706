/** Follows who drives a port, for those who listen on `iocp-net:drive`. */
import { channels } from '../diagnostics/channels';
import type { Driver } from '../diagnostics/messages';
import type { Layout } from './binding';

export class DriveWatch {
  readonly #port: number;
  readonly #counters: BigUint64Array;
  readonly #turnsAt: number;
  readonly #nanosecondsAt: number;
  #driver: Driver = 'loop';
  #turns = 0n;
  #nanoseconds = 0n;

  /** `port`: its place among the ports of this thread. */
  constructor(port: number, { counters: names }: Layout, counters: BigUint64Array) {
    this.#port = port;
    this.#counters = counters;
    this.#turnsAt = names.indexOf('helperTurns');
    this.#nanosecondsAt = names.indexOf('helperNs');
  }

  /** Tells of what has changed since the last look. */
  look(driver: Driver): void {
    const turns = this.#counters[this.#turnsAt] ?? 0n;
    if (driver === this.#driver && turns === this.#turns) return;
    const nanoseconds = this.#counters[this.#nanosecondsAt] ?? 0n;
    const message = {
      port: this.#port,
      driver,
      helperTurns: Number(turns - this.#turns),
      helperMs: Number(nanoseconds - this.#nanoseconds) / 1e6,
    };
    this.#driver = driver;
    this.#turns = turns;
    this.#nanoseconds = nanoseconds;
    channels.drive.publish(message);
  }
}

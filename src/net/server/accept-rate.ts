/** A token bucket: so many a second in the long run, and after a quiet time so many at once. */
const now = performance.now.bind(performance);

export class AcceptRate {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = now();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether one more is in time; it counts then. */
  take(): boolean {
    const at = now();
    const fresh = ((at - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + fresh);
    this.#filledAt = at;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

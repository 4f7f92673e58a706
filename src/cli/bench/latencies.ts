/** Times of single messages, and what share of them was below which. */

export class Latencies {
  readonly #milliseconds: number[] = [];
  #isSorted = true;

  add(milliseconds: number): void {
    this.#milliseconds.push(milliseconds);
    this.#isSorted = false;
  }

  get count(): number {
    return this.#milliseconds.length;
  }

  /** Microseconds; 0 where there is none. */
  quantile(share: number): number {
    if (!this.#isSorted) this.#milliseconds.sort((a, b) => a - b);
    this.#isSorted = true;
    const at = Math.min(this.count - 1, Math.floor(this.count * share));
    return (this.#milliseconds[at] ?? 0) * 1000;
  }
}

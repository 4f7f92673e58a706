/** The memory that a port's connections receive bulk into (`bulk-receives.ts`). */

/** Receives of a round, each of a chunk's size: 256 KiB, then others have their turn. */
export const RECEIVES = 4;
/** Receives of a port that may wait so: 4 MiB. */
const MOST_WAITING = 64;

/**
 * What the connections of a port share: how many wait, and memory of which little was needed. As
 * many pieces are kept as there are connections in bulk. With fewer, new ones are made where old
 * ones were just dropped, and V8, which goes by the bytes that it is told of, collects half as often
 * again.
 */
export class BulkMemory {
  #waiting = 0;
  readonly #spare: Buffer[] = [];

  get hasRoom(): boolean {
    return this.#waiting < MOST_WAITING;
  }

  /** A connection begins with bulk. */
  begin(): void {
    this.#waiting++;
  }

  end(): void {
    this.#waiting--;
    if (this.#spare.length > this.#mostSpare()) this.#spare.pop();
  }

  #mostSpare(): number {
    return Math.max(RECEIVES, this.#waiting);
  }

  take(bytes: number): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(bytes);
  }

  giveBack(memory: Buffer): void {
    if (this.#spare.length < this.#mostSpare()) this.#spare.push(memory);
  }
}

/** The memory that a port's connections receive bulk into (`bulk-receives.ts`). */

/** Receives of a round, each of a chunk's size: 256 KiB, then others have their turn. */
export const RECEIVES = 4;
/** Receives of a port that may wait so: 4 MiB. */
const MOST_WAITING = 64;

/** What the connections of a port share: how many wait, and memory of which little was needed. */
export class BulkMemory {
  waiting = 0;
  readonly #spare: Buffer[] = [];

  get hasRoom(): boolean {
    return this.waiting < MOST_WAITING;
  }

  take(bytes: number): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(bytes);
  }

  giveBack(memory: Buffer): void {
    if (this.#spare.length < RECEIVES) this.#spare.push(memory);
  }
}

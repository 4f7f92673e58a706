/**
 * Receiving bulk into memory that becomes the program's, without a copy.
 *
 * A connection begins with it when a chunk was filled, and ends it after a while with little. The
 * first receive of a round waits until there is something; where the round before was full, three
 * more follow that take what is there at once, or say that nothing is. So a connection on which
 * nothing comes holds one piece of memory, and not many connections do (`bulk-memory.ts`).
 */
import { RECEIVES } from './bulk-memory';
import type { Port } from './port';
import { copyOf } from './receive-slab';

/** A receive of no more, in bytes, is little; after so many in a row chunks serve it better. */
const LITTLE_BYTES = 16 * 1024;
const LITTLE_RECEIVES = 4;
/** Who keeps the Buffer shall keep little more than its bytes. */
const WORTH_KEEPING = 0.75;

/** Scratch for `addressOf`: low and high half. */
const addressWords = new Uint32Array(2);

export class BulkReceives {
  readonly #port: Port;
  readonly #id: number;
  /** The port's, until they complete or the connection is closed. */
  readonly #submitted: Buffer[] = [];
  #littleInARow = 0;
  #wasFull = true;

  constructor(port: Port, id: number) {
    this.#port = port;
    this.#id = id;
    port.bulk.begin();
  }

  get isIdle(): boolean {
    return this.#submitted.length === 0;
  }

  /** Little comes: it is time for chunks again. */
  get isOver(): boolean {
    return this.#littleInARow >= LITTLE_RECEIVES;
  }

  end(): void {
    this.#port.bulk.end();
  }

  submitRound(): void {
    const { layout, addressOf } = this.#port.context;
    const count = this.#wasFull ? RECEIVES : 1;
    for (let i = 0; i < count; i++) {
      const memory = this.#port.bulk.take(layout.largestChunkBytes);
      this.#submitted.push(memory);
      addressOf(memory, addressWords);
      const [low = 0, high = 0] = addressWords;
      const flags = layout.receivePinned | (i === 0 ? 0 : layout.receiveAtOnce);
      this.#port.submit(layout.opcodes.receive, flags, this.#id, low, memory.length, high);
    }
    this.#wasFull = true;
  }

  /** What the oldest receive brought; null where it was nothing. */
  complete(result: number): Buffer | null {
    const memory = this.#submitted.shift();
    if (memory === undefined) return null;
    if (result < memory.length) this.#wasFull = false;
    if (result > 0) this.#littleInARow = result > LITTLE_BYTES ? 0 : this.#littleInARow + 1;
    if (result > WORTH_KEEPING * memory.length) return memory.subarray(0, result);
    const bytes = result > 0 ? copyOf(memory, 0, result) : null;
    this.#port.bulk.giveBack(memory);
    return bytes;
  }
}

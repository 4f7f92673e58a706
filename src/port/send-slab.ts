/**
 * Memory for small writes. A write is copied (a string: encoded) into a block, and the caller has
 * its buffer back at once; the block is the port's until the send completes.
 *
 * Blocks come in three fixed sizes, each with a stack of free ones, so the same warm blocks are
 * used again and again. A write for which there is no block is pinned instead (`connection-writer.ts`).
 */
import type { Region } from './binding';

/** Block sizes in bytes, ascending; most writes are a message or a chunk of a response. */
const BLOCK_BYTES = [512, 4096, 16384] as const;

export const LARGEST_BLOCK = BLOCK_BYTES[2];

class BlockStack {
  readonly #offsets: Int32Array;
  #depth: number;

  constructor(
    readonly first: number,
    readonly bytes: number,
    count: number,
  ) {
    this.#offsets = new Int32Array(count);
    this.#depth = count;
    // The lowest offsets on top.
    for (let i = 0; i < count; i++) this.#offsets[i] = first + (count - 1 - i) * bytes;
  }

  pop(): number {
    return this.#depth === 0 ? -1 : (this.#offsets[--this.#depth] as number);
  }

  push(offset: number): void {
    this.#offsets[this.#depth++] = offset;
  }
}

export class SendSlab {
  /** The slab's bytes; offsets of blocks are offsets into this. */
  readonly bytes: Buffer;
  readonly #small: BlockStack;
  readonly #medium: BlockStack;
  readonly #large: BlockStack;

  constructor(region: Region) {
    this.bytes = Buffer.from(region.buffer, region.offset, region.bytes);
    const quarter = region.bytes >> 2;
    this.#small = new BlockStack(0, BLOCK_BYTES[0], Math.floor(quarter / BLOCK_BYTES[0]));
    this.#medium = new BlockStack(quarter, BLOCK_BYTES[1], Math.floor(quarter / BLOCK_BYTES[1]));
    this.#large = new BlockStack(
      2 * quarter,
      BLOCK_BYTES[2],
      Math.floor((2 * quarter) / BLOCK_BYTES[2]),
    );
  }

  /** Offset of a block of at least `bytes` (at most `LARGEST_BLOCK`), or -1. */
  allocate(bytes: number): number {
    let offset = -1;
    if (bytes <= BLOCK_BYTES[0]) offset = this.#small.pop();
    if (offset < 0 && bytes <= BLOCK_BYTES[1]) offset = this.#medium.pop();
    return offset < 0 ? this.#large.pop() : offset;
  }

  free(offset: number): void {
    if (offset < this.#medium.first) this.#small.push(offset);
    else if (offset < this.#large.first) this.#medium.push(offset);
    else this.#large.push(offset);
  }
}

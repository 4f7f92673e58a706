/**
 * Received bytes, from the port's chunk to a Buffer of the user's own. Always a copy: a chunk goes
 * back to the port at once, so that a 10-byte message never keeps 4 KiB, and nothing a user holds
 * can be overwritten. (Native code, which takes a copy of its own, is lent the chunk.) Its memory is
 * its own, as with `node:net`: not of Node's pool, of which every message that somebody keeps would
 * keep 8 KiB, and which shows what others have received.
 */
import type { Region } from './binding';

/** Up to so many bytes V8 keeps a typed array's memory on its heap, and a loop is the best copy. */
const ON_HEAP_BYTES = 64;

/** Up to so many bytes memory that V8 clears costs less than Node's that is not cleared. */
const CLEARED_BYTES = 4096;

/**
 * The class of Node's Buffers, whose constructor does not ask what it is given. `slice` would find
 * it by the same name, and takes longer over that than over the bytes.
 */
const FastBuffer = (Buffer as unknown as { [Symbol.species]: new (length: number) => Buffer })[
  Symbol.species
];

export class ReceiveSlab {
  readonly #bytes: Buffer;
  /** By chunk, what of it was lent last: messages of the same length follow each other often. */
  readonly #lent = new Map<number, Buffer>();

  constructor(region: Region) {
    this.#bytes = Buffer.from(region.buffer, region.offset, region.bytes);
  }

  copyOut(offset: number, length: number): Buffer {
    return copyOf(this.#bytes, offset, length);
  }

  /** The chunk itself, for as long as it is not given back to the port. */
  lend(chunk: number, offset: number, length: number): Buffer {
    const last = this.#lent.get(chunk);
    if (last?.length === length) return last;
    const lent = this.#bytes.subarray(offset, offset + length);
    this.#lent.set(chunk, lent);
    return lent;
  }
}

/** In memory of its own. */
export function copyOf(bytes: Buffer, offset: number, length: number): Buffer {
  if (!isOnHeap(length)) return copyOfView(bytes.subarray(offset, offset + length));
  const copy = new FastBuffer(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[offset + i] as number;
  return copy;
}

export const isOnHeap = (length: number): boolean => length <= ON_HEAP_BYTES;

/** Likewise, of more than fits on the heap. */
export function copyOfView(view: Buffer): Buffer {
  const { length } = view;
  const copy = length > CLEARED_BYTES ? Buffer.allocUnsafeSlow(length) : new FastBuffer(length);
  copy.set(view);
  return copy;
}

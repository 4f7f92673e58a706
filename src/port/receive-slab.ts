/**
 * Received bytes, from the port's chunk to a Buffer of the user's own. Always a copy: a chunk goes
 * back to the port at once, so that a 10-byte message never keeps 4 KiB, and nothing a user holds
 * can be overwritten. Buffers below half of `Buffer.poolSize` share Node's pool, as they would if
 * the user had called `Buffer.from`.
 */
import type { Region } from './binding';

/** Up to here a loop beats the call into the engine's memcpy. */
const LOOP_BYTES = 32;

export class ReceiveSlab {
  readonly #bytes: Uint8Array;

  constructor(region: Region) {
    this.#bytes = new Uint8Array(region.buffer, region.offset, region.bytes);
  }

  copyOut(offset: number, length: number): Buffer {
    const bytes = this.#bytes;
    const copy = Buffer.allocUnsafe(length);
    if (length <= LOOP_BYTES) {
      for (let i = 0; i < length; i++) copy[i] = bytes[offset + i] as number;
    } else {
      copy.set(bytes.subarray(offset, offset + length));
    }
    return copy;
  }
}

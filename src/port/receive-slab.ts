/**
 * Received bytes, from the port's chunk to a Buffer of the user's own. Always a copy: a chunk goes
 * back to the port at once, so that a 10-byte message never keeps 4 KiB, and nothing a user holds
 * can be overwritten. Buffers below half of `Buffer.poolSize` share Node's pool, as they would if
 * the user had called `Buffer.from`.
 */
import type { Region } from './binding';

export class ReceiveSlab {
  readonly #bytes: Uint8Array;

  constructor(region: Region) {
    this.#bytes = new Uint8Array(region.buffer, region.offset, region.bytes);
  }

  copyOut(offset: number, length: number): Buffer {
    const copy = Buffer.allocUnsafe(length);
    copy.set(this.#bytes.subarray(offset, offset + length));
    return copy;
  }
}

/**
 * Received bytes, from the port's chunk to a Buffer of the user's own. Always a copy: a chunk goes
 * back to the port at once, so that a 10-byte message never keeps 4 KiB, and nothing a user holds
 * can be overwritten. Its memory is its own, as with `node:net`: not of Node's pool, of which every
 * message that somebody keeps would keep 8 KiB, and which shows what others have received.
 */
import type { Region } from './binding';

export class ReceiveSlab {
  readonly #bytes: Uint8Array;

  constructor(region: Region) {
    this.#bytes = new Uint8Array(region.buffer, region.offset, region.bytes);
  }

  copyOut(offset: number, length: number): Buffer {
    const copy = Buffer.allocUnsafeSlow(length);
    copy.set(this.#bytes.subarray(offset, offset + length));
    return copy;
  }
}

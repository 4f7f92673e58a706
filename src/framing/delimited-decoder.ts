/** Decodes frames that end with a delimiter. */
import { BaseDecoder } from './base-decoder';
import { ownCopy } from './codec';
import type { FrameLimits } from './codec';
import { tooLarge } from './errors';
import { PartialFrame } from './partial-frame';

export class DelimitedDecoder extends BaseDecoder<Buffer> {
  readonly #delimiter: Buffer;
  /** By its number where it is one byte: that is the faster search. */
  readonly #sought: Buffer | number;
  readonly #limits: FrameLimits;
  readonly #partial: PartialFrame;
  /** The last bytes of what is held: a delimiter may have begun in them. */
  #tail: Buffer;

  constructor(delimiter: Buffer, limits: FrameLimits) {
    super();
    this.#delimiter = delimiter;
    this.#sought = delimiter.length === 1 ? delimiter[0]! : delimiter;
    this.#limits = limits;
    this.#partial = new PartialFrame(!limits.copy);
    this.#tail = nothing;
  }

  get bufferedBytes(): number {
    return this.#partial.bytes;
  }

  protected clear(): void {
    this.#partial.clear();
    this.#tail = nothing;
  }

  protected decode(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    const delimiter = this.#delimiter;
    const { maxPayloadBytes, copy } = this.#limits;
    let at = this.#partial.bytes > 0 ? this.#resume(chunk, onFrame) : 0;
    while (at < chunk.length) {
      const found = chunk.indexOf(this.#sought, at);
      if (found === -1) break;
      if (found - at > maxPayloadBytes) throw tooLarge(found - at, maxPayloadBytes);
      const view = chunk.subarray(at, found);
      at = found + delimiter.length;
      onFrame(copy ? ownCopy(view) : view);
    }
    if (at < chunk.length) this.#keep(chunk, at);
  }

  /** Looks for the end of the frame that is held; where the chunk's next one begins, or its end. */
  #resume(chunk: Buffer, onFrame: (frame: Buffer) => void): number {
    const { length } = this.#delimiter;
    const across = this.#foundAcross(chunk);
    const found = across ?? chunk.indexOf(this.#sought);
    if (across === null && found === -1) {
      this.#keep(chunk, 0);
      return chunk.length;
    }
    const held = this.#partial.bytes;
    const payloadBytes = held + found;
    const { maxPayloadBytes } = this.#limits;
    if (payloadBytes > maxPayloadBytes) throw tooLarge(payloadBytes, maxPayloadBytes);
    if (found > 0) this.#partial.add(chunk, 0, found);
    const frame = this.#partial.take();
    this.#tail = nothing;
    // What is cut off is the beginning of a delimiter.
    onFrame(found < 0 ? frame.subarray(0, payloadBytes) : frame);
    return found + length;
  }

  /** The place, below 0, of a delimiter that began in what is held and ends in the chunk. */
  #foundAcross(chunk: Buffer): number | null {
    const tail = this.#tail;
    if (tail.length === 0) return null;
    const seam = Buffer.concat([tail, chunk.subarray(0, this.#delimiter.length - 1)]);
    const found = seam.indexOf(this.#delimiter);
    return found === -1 || found >= tail.length ? null : found - tail.length;
  }

  #keep(chunk: Buffer, at: number): void {
    const overlap = this.#delimiter.length - 1;
    const { maxPayloadBytes } = this.#limits;
    // The last of them may be the beginning of a delimiter.
    const least = this.#partial.bytes + (chunk.length - at) - overlap;
    if (least > maxPayloadBytes) throw tooLarge(least, maxPayloadBytes);
    this.#partial.add(chunk, at, chunk.length);
    if (overlap === 0) return;
    const last = chunk.subarray(Math.max(at, chunk.length - overlap));
    const joined = Buffer.concat([this.#tail, last]);
    this.#tail = joined.subarray(Math.max(0, joined.length - overlap));
  }
}

const nothing = Buffer.alloc(0);

/**
 * The bytes of a frame that spans several chunks, until all are there.
 *
 * A frame of up to `DIRECT_BYTES` has its memory at once, and each byte is copied into it. A longer
 * one takes memory only as its bytes come, whatever length was announced: chunks are held as they are
 * and put together at the end, which is one copy, too. But small ones, of which thousands might make
 * one frame, cost more to hold than they have bytes: these are gathered first.
 */

/** What one peer may make us take by a header alone. */
const DIRECT_BYTES = 64 * 1024;
/** A chunk of less is copied when it comes, into memory for so many bytes more. */
const HELD_BYTES = 2048;
const LEAST_GATHERED_BYTES = 4096;

/** As Buffer.concat(), which takes from a pool. */
function joined(parts: readonly Buffer[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export class PartialFrame {
  readonly #holdsChunks: boolean;
  readonly #parts: Buffer[] = [];
  #partBytes = 0;
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;

  /** `holdsChunks`: chunks may be kept, and their memory does not change. */
  constructor(holdsChunks: boolean) {
    this.#holdsChunks = holdsChunks;
  }

  get bytes(): number {
    return this.#partBytes + this.#gatheredBytes;
  }

  /** Before the first bytes of a frame whose length is known. */
  begin(frameBytes: number): void {
    if (frameBytes <= DIRECT_BYTES) this.#gathered = Buffer.allocUnsafeSlow(frameBytes);
  }

  add(chunk: Buffer, start: number, end: number): void {
    const room = (this.#gathered?.length ?? 0) - this.#gatheredBytes;
    const bytes = end - start;
    if (bytes <= room) this.#gather(chunk, start, end);
    else if (this.#holdsChunks && bytes >= HELD_BYTES) this.#hold(chunk.subarray(start, end));
    else {
      this.#gather(chunk, start, start + room);
      this.#makeRoom(bytes - room);
      this.#gather(chunk, start + room, end);
    }
  }

  /** The whole frame, in memory that has its length; nothing is held afterwards. */
  take(): Buffer {
    const gathered = this.#gathered;
    let frame = gathered;
    if (gathered === null || this.#parts.length > 0 || gathered.length > this.#gatheredBytes) {
      this.#closeGathered();
      frame = joined(this.#parts, this.#partBytes);
    }
    this.clear();
    return frame!;
  }

  clear(): void {
    this.#parts.length = 0;
    this.#partBytes = 0;
    this.#gathered = null;
    this.#gatheredBytes = 0;
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#gathered!.set(chunk.subarray(start, end), this.#gatheredBytes);
    this.#gatheredBytes += end - start;
  }

  #hold(part: Buffer): void {
    this.#closeGathered();
    this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #closeGathered(): void {
    if (this.#gatheredBytes > 0) {
      this.#parts.push(this.#gathered!.subarray(0, this.#gatheredBytes));
      this.#partBytes += this.#gatheredBytes;
    }
    this.#gathered = null;
    this.#gatheredBytes = 0;
  }

  /** Each piece is as long as all before it, up to a bound, so that there are few. */
  #makeRoom(bytes: number): void {
    this.#closeGathered();
    const grown = Math.min(Math.max(this.#partBytes, LEAST_GATHERED_BYTES), DIRECT_BYTES);
    this.#gathered = Buffer.allocUnsafeSlow(Math.max(grown, bytes));
  }
}

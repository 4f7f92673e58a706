/** Decodes frames that begin with a header which says how long the rest is. */
import { BaseDecoder } from './base-decoder';
import { ownCopy } from './codec';
import { PartialFrame } from './partial-frame';

/**
 * Reads headers of one kind, for one decoder. What it has read last stands in its members, since an
 * object for each header would cost as much as all the rest.
 */
export interface HeaderReader<Frame> {
  /** No header is longer. */
  readonly mostBytes: number;
  headerBytes: number;
  payloadBytes: number;
  /**
   * Reads the header at `at`; false where its end is not before `end`.
   *
   * @throws FramingError where it announces a frame that cannot be.
   */
  read(bytes: Buffer, at: number, end: number): boolean;
  /** The frame whose header is at `at`, as far as that says. */
  begin(bytes: Buffer, at: number): Frame;
  /** The whole frame. `payload` may be kept. */
  complete(begun: Frame, payload: Buffer): Frame;
}

export class PrefixedDecoder<Frame> extends BaseDecoder<Frame> {
  readonly #reader: HeaderReader<Frame>;
  readonly #copies: boolean;
  /** The first bytes of a header that is not whole. */
  readonly #head: Buffer;
  #headBytes = 0;
  /** The frame whose header is whole, and whose payload is not. */
  #begun: { readonly frame: Frame; readonly headerBytes: number } | null = null;
  #missingBytes = 0;
  readonly #payload: PartialFrame;

  constructor(reader: HeaderReader<Frame>, copies: boolean) {
    super();
    this.#reader = reader;
    this.#copies = copies;
    this.#head = Buffer.alloc(reader.mostBytes);
    this.#payload = new PartialFrame(!copies);
  }

  get bufferedBytes(): number {
    return (this.#begun?.headerBytes ?? this.#headBytes) + this.#payload.bytes;
  }

  protected clear(): void {
    this.#begun = null;
    this.#headBytes = 0;
    this.#payload.clear();
  }

  protected decode(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    const reader = this.#reader;
    const end = chunk.length;
    let at = this.#headBytes > 0 || this.#begun !== null ? this.#resume(chunk, onFrame) : 0;
    while (at < end) {
      if (!reader.read(chunk, at, end)) return this.#keepHead(chunk, at);
      const start = at + reader.headerBytes;
      const next = start + reader.payloadBytes;
      const frame = reader.begin(chunk, at);
      if (next > end) return this.#beginPayload(frame, chunk, start);
      onFrame(reader.complete(frame, this.#piece(chunk, start, next)));
      at = next;
    }
  }

  #piece(chunk: Buffer, start: number, end: number): Buffer {
    const view = chunk.subarray(start, end);
    return this.#copies ? ownCopy(view) : view;
  }

  #keepHead(chunk: Buffer, at: number): void {
    chunk.copy(this.#head, 0, at);
    this.#headBytes = chunk.length - at;
  }

  #beginPayload(frame: Frame, chunk: Buffer, start: number): void {
    const { headerBytes, payloadBytes } = this.#reader;
    this.#begun = { frame, headerBytes };
    this.#missingBytes = payloadBytes - (chunk.length - start);
    this.#payload.begin(payloadBytes);
    this.#payload.add(chunk, start, chunk.length);
  }

  /** Goes on with what is held; where the chunk's next frame begins, or its end. */
  #resume(chunk: Buffer, onFrame: (frame: Frame) => void): number {
    return this.#begun === null
      ? this.#resumeHead(chunk, onFrame)
      : this.#resumePayload(this.#begun.frame, chunk, onFrame);
  }

  #resumeHead(chunk: Buffer, onFrame: (frame: Frame) => void): number {
    const reader = this.#reader;
    const before = this.#headBytes;
    const headBytes = before + chunk.copy(this.#head, before);
    if (!reader.read(this.#head, 0, headBytes)) {
      this.#headBytes = headBytes;
      return chunk.length;
    }
    this.#headBytes = 0;
    const frame = reader.begin(this.#head, 0);
    const start = reader.headerBytes - before;
    const next = start + reader.payloadBytes;
    if (next > chunk.length) {
      this.#beginPayload(frame, chunk, start);
      return chunk.length;
    }
    onFrame(reader.complete(frame, this.#piece(chunk, start, next)));
    return next;
  }

  #resumePayload(begun: Frame, chunk: Buffer, onFrame: (frame: Frame) => void): number {
    const next = Math.min(this.#missingBytes, chunk.length);
    this.#payload.add(chunk, 0, next);
    this.#missingBytes -= next;
    if (this.#missingBytes === 0) {
      this.#begun = null;
      onFrame(this.#reader.complete(begun, this.#payload.take()));
    }
    return next;
  }
}

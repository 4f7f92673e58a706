/** What all decoders have in common: who may call them when, and what an error leaves. */
import { bufferOf } from './codec';
import type { Decoder } from './codec';
import { FramingError, truncated } from './errors';

enum Phase {
  Ready,
  /** Within `push()`: what it calls must not give it bytes that come later. */
  Decoding,
  /** An error was thrown, and is again for whatever follows. */
  Failed,
}

export abstract class BaseDecoder<Frame> implements Decoder<Frame> {
  #phase = Phase.Ready;
  #error: unknown;

  abstract get bufferedBytes(): number;

  /** Takes all of the chunk. */
  protected abstract decode(chunk: Buffer, onFrame: (frame: Frame) => void): void;

  /** Drops what is held of a frame that will never be complete. */
  protected abstract clear(): void;

  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void;
  push(chunk: Uint8Array): Frame[];
  push(chunk: Uint8Array, onFrame?: (frame: Frame) => void): Frame[] | void {
    if (onFrame !== undefined) return this.#push(chunk, onFrame);
    const frames: Frame[] = [];
    try {
      this.#push(chunk, (frame) => void frames.push(frame));
    } catch (error) {
      // Whoever asks for an array gets what is good of it; the next call throws.
      if (frames.length === 0) throw error;
    }
    return frames;
  }

  end(): void {
    this.#checkPhase();
    const { bufferedBytes } = this;
    if (bufferedBytes > 0) this.#fail(truncated(bufferedBytes));
  }

  #push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    this.#checkPhase();
    const bytes = bufferOf(chunk);
    this.#phase = Phase.Decoding;
    try {
      this.decode(bytes, onFrame);
    } catch (error) {
      this.#fail(error);
    }
    this.#phase = Phase.Ready;
  }

  #checkPhase(): void {
    if (this.#phase === Phase.Ready) return;
    if (this.#phase === Phase.Failed) throw this.#error;
    throw new FramingError(
      'ERR_FRAME_DECODER_BUSY',
      'A decoder takes no bytes while it calls onFrame',
    );
  }

  #fail(error: unknown): never {
    this.#phase = Phase.Failed;
    this.#error = error;
    this.clear();
    throw error;
  }
}

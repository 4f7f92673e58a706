import type * as nodeNet from 'node:net';
import { isUint8Array } from 'node:util/types';
import { kLink } from '../node/internals';
import type { SocketWith } from '../node/internals';

type ReadingSocket = SocketWith<{ stopUserBuffer(): void }>;

enum Flow {
  Flowing,
  Stopped,
}

/**
 * The `onread` option: received bytes go into a buffer of the user's and to a callback instead of
 * `'data'` events. A chunk larger than the buffer is handed over in pieces; what the user stops in
 * between is held until reading goes on.
 */
export class UserBuffer {
  readonly #onread: nodeNet.OnReadOpts;
  readonly #nextBuffer: (() => Uint8Array) | null;
  #buffer: Uint8Array;
  #held: Buffer | null = null;
  #flow = Flow.Flowing;

  private constructor(onread: nodeNet.OnReadOpts) {
    const { buffer } = onread;
    this.#onread = onread;
    this.#nextBuffer = typeof buffer === 'function' ? buffer : null;
    this.#buffer = typeof buffer === 'function' ? new Uint8Array(0) : buffer;
  }

  /** Null where the option is absent or, as in Node, not usable. */
  static from(onread: nodeNet.OnReadOpts | null | undefined): UserBuffer | null {
    if (typeof onread !== 'object' || onread === null) return null;
    const { buffer } = onread;
    const usable = isUint8Array(buffer) || typeof buffer === 'function';
    return usable && typeof onread.callback === 'function' ? new UserBuffer(onread) : null;
  }

  /** Asks the user for the next buffer, where the option is a function. */
  renew(): void {
    const next: unknown = this.#nextBuffer?.();
    if (isUint8Array(next)) this.#buffer = next;
  }

  /** Stops handing over, at the latest after the callback that runs now. */
  stop(): void {
    this.#flow = Flow.Stopped;
  }

  /** Goes on handing over, first what was held; then or at once `startReading`. */
  resume(socket: ReadingSocket, startReading: () => void): void {
    const wasFlowing = this.#flow === Flow.Flowing;
    this.#flow = Flow.Flowing;
    if (this.#held === null) {
      startReading();
    } else if (!wasFlowing) {
      process.nextTick(() => {
        if (this.#flow === Flow.Flowing && this.deliver(socket, null)) startReading();
      });
    }
  }

  /** Hands over what is held and a new chunk. False when the user wants no more. */
  deliver(socket: ReadingSocket, chunk: Buffer | null): boolean {
    if (chunk !== null) this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    while (this.#held !== null) {
      const piece = this.#held.subarray(0, this.#buffer.length);
      if (piece.length === 0) return false;
      this.#buffer.set(piece);
      // Before the callback: what it throws must not cost the rest.
      const isLast = piece.length === this.#held.length;
      this.#held = isLast ? null : this.#held.subarray(piece.length);
      this.#hand(socket, piece.length);
      if (this.#isStopped() || socket.destroyed) return false;
    }
    return true;
  }

  /** What the callback throws is the caller's; the rest of the chunk then comes by itself. */
  #hand(socket: ReadingSocket, length: number): void {
    let hasReturned = false;
    try {
      if (this.#onread.callback.call(socket, length, this.#buffer) === false) this.stop();
      hasReturned = true;
    } finally {
      if (!hasReturned && this.#held !== null) process.nextTick(() => this.#handRest(socket));
    }
    this.renew();
  }

  #handRest(socket: ReadingSocket): void {
    if (this.#isStopped() || socket.destroyed) return;
    this.renew();
    if (!this.deliver(socket, null)) socket[kLink]?.stopUserBuffer();
  }

  #isStopped(): boolean {
    return this.#flow === Flow.Stopped;
  }
}

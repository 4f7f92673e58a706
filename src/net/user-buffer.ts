import type * as nodeNet from 'node:net';
import { isUint8Array } from 'node:util/types';
import type { NetSocket } from './internals';

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

  get holds(): boolean {
    return this.#held !== null;
  }

  /** Asks the user for the next buffer, where the option is a function. */
  renew(): void {
    const next: unknown = this.#nextBuffer?.();
    if (isUint8Array(next)) this.#buffer = next;
  }

  /**
   * Hands over a chunk, or with null what was held. False stops reading: the user said so, or
   * `isStopped` turned true inside the callback.
   */
  deliver(socket: NetSocket, chunk: Buffer | null, isStopped: () => boolean): boolean {
    let rest = chunk ?? this.#held;
    this.#held = null;
    while (rest !== null && rest.length > 0) {
      const piece = rest.subarray(0, this.#buffer.length);
      if (piece.length === 0) return false;
      this.#buffer.set(piece);
      rest = rest.subarray(piece.length);
      const goOn = this.#onread.callback.call(socket, piece.length, this.#buffer);
      this.renew();
      if (goOn === false || isStopped()) {
        this.#held = rest.length > 0 ? rest : null;
        return false;
      }
    }
    return true;
  }
}

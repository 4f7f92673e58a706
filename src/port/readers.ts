/**
 * The connections of a port that read on this thread in the next turn of the event loop, unasked:
 * again, as much came, or because others had read enough for one turn.
 */
import type { TcpConnection } from './connection';

/**
 * Bytes after which the others go on in the next turn: about a millisecond, as much as an echo may
 * send in it (`port.ts`), and still in the cache then. Else timers wait for a thousand of them.
 */
export const BYTES_PER_TURN = 4 * 1024 * 1024;

export class Readers {
  #waiting: TcpConnection[] = [];
  /** Bytes that were read in this turn. */
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether there are bytes left to be read in this turn. */
  get mayRead(): boolean {
    return this.#bytes < BYTES_PER_TURN;
  }

  add(connection: TcpConnection): void {
    this.#waiting.push(connection);
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Begins a turn, and has those read that wait, oldest first, as long as there is room for it. */
  takeTurn(read: (connection: TcpConnection) => void): void {
    this.#bytes = 0;
    if (this.isEmpty) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let done = 0;
    for (const connection of waiting) {
      if (!this.mayRead) break;
      read(connection);
      done++;
    }
    // The others before those that have just read.
    if (done < waiting.length) this.#waiting = waiting.slice(done).concat(this.#waiting);
  }
}

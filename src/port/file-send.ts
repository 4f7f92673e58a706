/**
 * A file on its way through the queue of a connection. It is submitted in pieces, of which some are
 * always in the queue: so the system has work when one is done, progress shows (timeouts), and what
 * follows a file that is given up is little.
 *
 * The pieces name a handle of our own, which is closed when the last of them has come back: by then
 * the connection may long be closed for its owner, and the owner's descriptor be another file.
 */
import type { DoneCallback, ErrorName, FileToSend } from './contract';

/**
 * Windows reports a piece when the peer has acknowledged all of it, so that no more is sent in a
 * round trip. Elsewhere it is what one call sends at most.
 */
const PIECE_BYTES = process.platform === 'win32' ? 2 * 1024 * 1024 : 256 * 1024;
/** In the queue at once. */
const MOST_PIECES = 4;

/** What a file needs of the connection that it goes over. */
export interface FileQueue {
  /** Behind all that waits; `done` when the system has them. */
  submitBytes(bytes: Uint8Array, done: DoneCallback): void;
  submitPiece(file: FileSend, offset: number, length: number): void;
  handOver(): void;
  closeFile(handle: number): void;
}

enum State {
  Sending,
  /** `done` was called. Pieces may still be with the port. */
  Done,
  /** The handle is closed. */
  Closed,
}

export class FileSend {
  readonly #queue: FileQueue;
  readonly #file: FileToSend;
  readonly #done: DoneCallback;
  #state = State.Sending;
  /** Where the next piece begins. */
  #next: number;
  #sent = 0;
  /** Pieces with the port. */
  #under = 0;

  constructor(
    queue: FileQueue,
    file: FileToSend,
    readonly handle: number,
    done: DoneCallback,
  ) {
    this.#queue = queue;
    this.#file = file;
    this.#done = done;
    this.#next = file.start;
  }

  /** What the system takes of the first pieces it takes now. */
  begin(): void {
    const { head } = this.#file;
    if (head !== null) this.#queue.submitBytes(head, () => {});
    this.#submitPieces();
    this.#queue.handOver();
  }

  /**
   * At least one, which may be empty: its completion says that all before it is sent. The tail goes
   * with the last.
   */
  #submitPieces(): void {
    const { start, end, tail } = this.#file;
    const isEmpty = start === end;
    while (this.#under < MOST_PIECES && (this.#next < end || (isEmpty && this.#under === 0))) {
      const length = Math.min(PIECE_BYTES, end - this.#next);
      const offset = this.#next;
      this.#next += length;
      this.#under++;
      this.#queue.submitPiece(this, offset, length);
      if (this.#next === end && tail !== null) this.#queue.submitBytes(tail, this.#tailDone);
    }
  }

  /** A piece is the port's no more; so much of it was sent. */
  returned(bytes: number): void {
    this.#under--;
    this.#sent += bytes;
    if (this.#state === State.Done) this.#closeWhenFree();
  }

  /** The answer to a piece, after it has returned or when nobody waits for that any more. */
  readonly answer = (error: ErrorName | null): void => {
    if (this.#state !== State.Sending) return;
    const { start, end, tail } = this.#file;
    this.#file.progress(this.#sent);
    if (error !== null) this.#finish(error);
    else if (this.#sent < end - start) this.#submitPieces();
    else if (tail === null) this.#finish(null);
  };

  readonly #tailDone = (error: ErrorName | null): void => this.#finish(error);

  #finish(error: ErrorName | null): void {
    if (this.#state !== State.Sending) return;
    this.#state = State.Done;
    this.#closeWhenFree();
    this.#done(error);
  }

  #closeWhenFree(): void {
    if (this.#under > 0) return;
    this.#state = State.Closed;
    this.#queue.closeFile(this.handle);
  }
}

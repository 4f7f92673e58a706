/** The writes of a socket: what was written, and whose callbacks have come. */
import type * as net from 'node:net';
import type { Random } from '../load/random';
import { ByteLog } from './byte-log';
import type { Judge } from './judge';
import { somePayload } from './payload';

/** So much of what was written may be copied, and called back for, before the system takes it. */
const MOST_COPIED = 16 * 1024;

enum Answer {
  None,
  Done,
  Failed,
}

interface Write {
  /** Of the stream, behind this write. */
  readonly end: number;
  answer: Answer;
}

export class WriteBooks {
  readonly sent = new ByteLog();
  /** Bytes of which it was said, before the socket was destroyed, that they were written. */
  acknowledged = 0;
  /** Since the last write() that said false there was no 'drain'. */
  awaitsDrain = false;
  /** Somebody writes past these books, so that their sums are not the socket's. */
  isComplete = true;
  readonly #writes: Write[] = [];

  constructor(
    readonly judge: Judge,
    readonly socket: net.Socket,
    readonly name: string,
    /** Bytes that the system has taken. */
    readonly taken: () => number,
  ) {}

  write(random: Random, length: number): void {
    const { socket } = this;
    const { chunk, encoding, bytes } = somePayload(random, length);
    const done = random.chance(0.7) ? this.#callback(bytes.length, chunk) : undefined;
    if (this.#isOpen) this.sent.append(bytes);
    const goesOn =
      encoding === undefined ? socket.write(chunk, done) : this.#text(chunk, encoding, done);
    if (!goesOn && !socket.destroyed) this.awaitsDrain = true;
    this.checkSum();
  }

  #text(chunk: string | Uint8Array, encoding: BufferEncoding, done?: () => void): boolean {
    return this.socket.write(chunk, encoding, done);
  }

  end(random: Random, length: number): void {
    if (length === 0) {
      this.socket.end();
      return;
    }
    const { chunk, encoding, bytes } = somePayload(random, length);
    if (this.#isOpen) this.sent.append(bytes);
    if (encoding === undefined) this.socket.end(chunk);
    else this.socket.end(chunk as string, encoding);
  }

  get #isOpen(): boolean {
    return !this.socket.destroyed && !this.socket.writableEnded;
  }

  #callback(length: number, chunk: string | Uint8Array): (error?: Error | null) => void {
    const write: Write = { end: this.sent.length + length, answer: Answer.None };
    this.#writes.push(write);
    return (error) => {
      this.judge.note(`${this.name} written${error ? ' not' : ''}`, write.end);
      if (write.answer !== Answer.None) this.#violate('a callback of write() is called twice');
      write.answer = error ? Answer.Failed : Answer.Done;
      if (this.socket.destroyed) return;
      // The memory is the program's again.
      if (typeof chunk !== 'string') chunk.fill(0xdb);
      if (!error) this.#acknowledge(write);
    };
  }

  #acknowledge(write: Write): void {
    if (write.end < this.acknowledged) this.#violate('callbacks of write() come out of order');
    this.acknowledged = write.end;
    if (this.isComplete && write.end - this.taken() > MOST_COPIED) {
      this.#violate('a write is said to be done that the system has not taken');
    }
  }

  /** After a write: as Node counts them, bytes that wait are written. */
  checkSum(): void {
    const { socket } = this;
    if (!this.isComplete || socket.destroyed || socket.errored) return;
    if (socket.bytesWritten !== this.sent.length) {
      this.#violate(
        'bytesWritten is not what was written',
        `${socket.bytesWritten} of ${this.sent.length}`,
      );
    }
  }

  drained(): void {
    if (!this.awaitsDrain && this.isComplete)
      this.#violate("'drain' without a write() that said false");
    this.awaitsDrain = false;
  }

  /** 'finish': everything is written. */
  finished(): void {
    if (this.#writes.some(({ answer }) => answer === Answer.None)) {
      this.#violate("'finish' before the callback of a write()");
    }
  }

  checkAtEnd(): void {
    if (this.#writes.some(({ answer }) => answer === Answer.None)) {
      this.#violate('it never comes: the callback of a write()');
    }
  }

  #violate(what: string, more = ''): void {
    this.judge.violate(what, `${this.name} ${more}`);
  }
}

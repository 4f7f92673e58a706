/** Writing on a connection by native code. */
import type { Connection, ErrorName } from '../../port/contract';
import { core } from '../core';
import { errnoOf } from '../node/errors';
import { statusOf } from '../node/handle-answers';
import type { HandleReader } from './handle-reader';
import type { NativeStream } from './native-stream';

/** Whether Node's JavaScript made the request, not its native code. */
const isOfJavaScript = (request: object): boolean =>
  typeof (request as { oncomplete?: unknown }).oncomplete === 'function';

const asChunk = (chunk: Buffer) => ({ chunk, encoding: 'utf8' as const });

/** Made for a handle with the first write of a native consumer. */
export class HandleWriter {
  readonly #handle: NativeStream;
  readonly #reader: HandleReader;
  /** Of a write that was answered already: the next learns of it. */
  lateError: ErrorName | null = null;

  constructor(handle: NativeStream, reader: HandleReader) {
    this.#handle = handle;
    this.#reader = reader;
  }

  write(connection: Connection, request: object, buffers: Buffer[]): number {
    if (this.lateError !== null) return errnoOf(this.lateError);
    let answer: ErrorName | null | undefined;
    let hasReturned = false;
    const done = (error: ErrorName | null): void => {
      answer = error;
      if (hasReturned) this.#answer(request, statusOf(error));
    };
    const [first] = buffers;
    if (buffers.length === 1 && first !== undefined) connection.write(first, 'utf8', done);
    else connection.writev(buffers.map(asChunk), done);
    hasReturned = true;
    if (answer !== undefined) this.#answerSoon(request, statusOf(answer));
    return 0;
  }

  #answer(request: object, status: number): void {
    this.#reader.enterNative(() => this.#handle.finishWrite(request, status));
  }

  /**
   * A write that is done before the call returns. HTTP/2 wants the answer at once: a session that
   * is destroyed sends its last frame now or never. But not within another answer. Node's
   * JavaScript wants it later. TLS, which gives the handle a property `reading` of its own, puts the
   * answer off itself where a write is done at once, to Node's native immediates; where what it
   * serves does so, too (HTTP/2), one follows the other in the same round of the event loop.
   */
  #answerSoon(request: object, status: number): void {
    if (isOfJavaScript(request)) {
      process.nextTick(() => this.#answer(request, status));
    } else if (Object.hasOwn(this.#handle, 'reading')) {
      core()?.callWithImmediates(() => this.#answer(request, status));
    } else {
      this.#reader.afterNative(() => this.#handle.finishWrite(request, status));
    }
  }
}

/**
 * A file's place among a socket's writes. The stream keeps an empty buffer in its queue, which stands
 * for the file; when its turn comes, the file is sent. So what is written before and after, corking,
 * `'drain'` and `end()` go on as the stream has them.
 */
import { bare } from '../bare';
import type { NetSocket, WriteCallback, WriteData } from '../node/internals';
import type { WriteChunk } from '../../port/contract';

/** Sends what has its turn now. Writes go by the methods that the socket had before. */
export type Turn = (writer: SocketWriter, done: WriteCallback) => void;

type Write = (data: WriteData, encoding: BufferEncoding, callback: WriteCallback) => void;

/** The stream's own `_write()` and `_writev()` of a socket. */
export class SocketWriter {
  readonly #turns = new WeakMap<object, Turn>();
  readonly write: Write;
  readonly #writev: (chunks: WriteChunk[], callback: WriteCallback) => void;

  constructor(readonly socket: NetSocket) {
    const { _write, _writev } = socket;
    this.write = _write.bind(socket);
    this.#writev = _writev.bind(socket);
    const value = (name: string, method: unknown): void => {
      Object.defineProperty(
        socket,
        name,
        bare({ configurable: true, value: method, writable: true }),
      );
    };
    value('_write', ((data, encoding, callback) => {
      const turn = this.#turnOf(data);
      if (turn === undefined) this.write(data, encoding, callback);
      else turn(this, callback);
    }) satisfies Write);
    value('_writev', (chunks: WriteChunk[], callback: WriteCallback): void => {
      if (chunks.some(({ chunk }) => this.#turnOf(chunk) !== undefined)) {
        this.#writeInTurn(chunks, callback);
      } else {
        this.#writev(chunks, callback);
      }
    });
  }

  /** `written` gets what becomes of the stream's write. */
  queue(turn: Turn, written: WriteCallback): void {
    const place = Buffer.alloc(0);
    this.#turns.set(place, turn);
    this.socket.write(place, written);
  }

  #turnOf(data: unknown): Turn | undefined {
    return typeof data === 'object' && data !== null ? this.#turns.get(data) : undefined;
  }

  /** What stands between two files is written together. */
  #writeInTurn(chunks: WriteChunk[], callback: WriteCallback): void {
    const next = (error?: Error | null): void => {
      if (error || chunks.length === 0) return callback(error);
      const at = chunks.findIndex(({ chunk }) => this.#turnOf(chunk) !== undefined);
      const turn = at === 0 ? this.#turnOf(chunks[0]?.chunk) : undefined;
      const before = chunks.slice(0, turn !== undefined ? 1 : at < 0 ? chunks.length : at);
      chunks = chunks.slice(before.length);
      if (turn !== undefined) turn(this, next);
      else this.#writev(before, next);
    };
    next();
  }
}

const writers = new WeakMap<object, SocketWriter>();

/** Of a socket that sends its first file its methods are replaced, once. */
export function writerOf(socket: NetSocket): SocketWriter {
  let writer = writers.get(socket);
  if (writer === undefined) {
    writer = new SocketWriter(socket);
    writers.set(socket, writer);
  }
  return writer;
}

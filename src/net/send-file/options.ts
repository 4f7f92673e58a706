/** The arguments of `sendFile()`, checked as Node checks its own. */
import type { FileHandle } from 'node:fs/promises';
import { checkInteger } from '../../check-integer';
import { bare } from '../bare';
import { invalidType, outOfRange } from '../../node-argument-errors';

/**
 * What to send from: a path (opened when its turn comes, and closed), or a descriptor or FileHandle,
 * which stay the caller's and are not to be closed before the promise is settled. A regular file; its
 * position is neither used nor moved.
 */
export type FileSource = string | Buffer | URL | number | FileHandle;

export interface SendFileOptions {
  /** First byte of the file to send, 0 to 2^53 - 1. Default 0. */
  start?: number | undefined;
  /**
   * Last byte to send, inclusive as for `fs.createReadStream()`. Without it all that the file has when
   * its turn comes. With it the file must have that byte: else the error is `ERR_IOCP_NET_FILE_ENDED`,
   * and nothing is sent.
   */
  end?: number | undefined;
  /** Bytes to send before and after those of the file, in the same packets where that can be had. */
  head?: string | Uint8Array | undefined;
  tail?: string | Uint8Array | undefined;
  /**
   * Gives up. When something was sent by then, the connection is reset, for its peer could not know
   * where the file ends.
   */
  signal?: AbortSignal | undefined;
  /** Called as the system takes bytes of the file: how many so far, and of how many. */
  onProgress?: ((sent: number, total: number) => void) | undefined;
}

export type SendFileCallback = (error: Error | null, sent: number) => void;

/** What sockets of `iocp-net` have beside Node's members. */
export interface FileSending {
  /**
   * Sends a file, or a part of it, in order with what is written before and after. Resolves with the
   * number of bytes of the file, head and tail not counted, when the system has taken the last; so
   * `end()` after it waits for it. On a connection of the core the system reads the file by itself
   * (`TransmitFile`, `sendfile`), so that its bytes never come into JavaScript; on other sockets
   * (TLS, `node:net`'s, Windows pipes) it is read and written in pieces of 256 KiB.
   *
   * The file takes no memory, and is not in `writableLength`; `bytesWritten` counts what was given to
   * the system. On Linux the thread that drives the port reads from a disk what is not in the
   * system's cache, 256 KiB at a time, and JavaScript waits meanwhile.
   *
   * Rejects with an Error that has `bytesSent`, the bytes of the file that the system has taken:
   *
   * - before anything is sent, and then the connection stays: `ERR_INVALID_ARG_TYPE`,
   *   `ERR_INVALID_ARG_VALUE` (not a regular file), `ERR_OUT_OF_RANGE`, errors of `fs.open()`, and
   *   `ERR_IOCP_NET_FILE_ENDED` where the file has no byte `end`;
   * - `ERR_IOCP_NET_FILE_ENDED` when the file has become shorter meanwhile, and `AbortError`: the
   *   connection is reset, but that of a local socket ends; without an `'error'` event;
   * - `ERR_STREAM_DESTROYED`, or the error that the socket was destroyed with;
   * - what a write of these bytes would fail with, which the socket emits, too.
   */
  sendFile(file: FileSource, options?: SendFileOptions): Promise<number>;
  /** The same with a callback; wrong arguments are thrown. */
  sendFile(file: FileSource, callback: SendFileCallback): void;
  sendFile(
    file: FileSource,
    options: SendFileOptions | undefined,
    callback: SendFileCallback,
  ): void;
}

/** A file by its path, or by a descriptor of the caller's. */
export type Origin = { readonly path: string | Buffer | URL } | { readonly descriptor: number };

export interface Request {
  readonly origin: Origin;
  /** As it was given: keeps a FileHandle from being collected. */
  readonly file: FileSource;
  readonly start: number;
  /** The first byte that is not sent; null for the file's end. */
  readonly end: number | null;
  readonly head: Buffer | null;
  readonly tail: Buffer | null;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: SendFileOptions['onProgress'];
}

const largestDescriptor = 2 ** 31 - 1;

function integer(name: string, value: unknown, most: number): number {
  checkInteger(name, value, [0, most]);
  return value;
}

/** A FileHandle that was closed has the descriptor -1. */
function isFileHandle(file: unknown): file is FileHandle {
  return typeof file === 'object' && file !== null && typeof Reflect.get(file, 'fd') === 'number';
}

function originOf(file: FileSource): Origin {
  if (typeof file === 'number') return { descriptor: integer('file', file, largestDescriptor) };
  if (typeof file === 'string' || Buffer.isBuffer(file) || file instanceof URL) {
    return { path: file };
  }
  if (isFileHandle(file)) return { descriptor: file.fd };
  throw invalidType('file', 'string or number or an instance of Buffer, URL, or FileHandle', file);
}

function bytes(name: string, value: unknown): Buffer | null {
  if (value === undefined) return null;
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw invalidType(name, 'string or an instance of Buffer or Uint8Array', value);
  }
  const found =
    typeof value === 'string'
      ? Buffer.from(value)
      : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return found.length === 0 ? null : found;
}

function signalIn(value: unknown): AbortSignal | undefined {
  const isSignal =
    value === undefined || (typeof value === 'object' && value !== null && 'aborted' in value);
  if (!isSignal) throw invalidType('options.signal', 'AbortSignal', value);
  return value as AbortSignal | undefined;
}

/** Throws for what is wrong. */
export function checkRequest(file: FileSource, options: unknown): Request {
  const origin = originOf(file);
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalidType('options', 'object', options);
  }
  const given = bare<Partial<Record<keyof SendFileOptions, unknown>>>({ ...options });
  const { start = 0, end, onProgress } = given;
  const first = integer('options.start', start, Number.MAX_SAFE_INTEGER);
  const last =
    end === undefined ? null : integer('options.end', end, Number.MAX_SAFE_INTEGER - 1) + 1;
  if (last !== null && last <= first) {
    throw outOfRange('options.start', `<= "end" (here: ${last - 1})`, first);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidType('options.onProgress', 'function', onProgress);
  }
  return {
    origin,
    file,
    start: first,
    end: last,
    head: bytes('options.head', given.head),
    tail: bytes('options.tail', given.tail),
    signal: signalIn(given.signal),
    onProgress: onProgress as SendFileOptions['onProgress'],
  };
}

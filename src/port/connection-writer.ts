/**
 * The sends of one connection: from a write to the system's call, or to submission records and back
 * from completions to callbacks. Sends complete in the order of submission, so a linked list is all
 * the bookkeeping.
 *
 * A write is sent at once where nothing waits before it, as `node:net` does; what the system does
 * not take is submitted, and so is what is gathered (`gathering.ts`) and what a thread is to send.
 * Of that, small writes are copied into the send slab and, while little is queued, acknowledged at
 * once, as a kernel acknowledges a write when it has copied it. Large ones are pinned: the operating
 * system reads the caller's memory, and the callback waits for it.
 */
import { errorName } from './binding';
import type { DoneCallback, ErrorName, FileToSend, SocketKind, WriteChunk } from './contract';
import { FileSend } from './file-send';
import type { FileQueue } from './file-send';
import type { Port } from './port';
import type { SendRequest } from './send-request';
import { LARGEST_BLOCK } from './send-slab';

/** Bytes queued on a connection up to which a copied write is acknowledged at once. */
const ACKNOWLEDGED_BYTES = 16 * 1024;
/** A pinned write is submitted in pieces of this size, so that progress shows (timeouts). */
const PINNED_PIECE_BYTES = 256 * 1024;
/** But not to a named pipe, whose server may take each write for one message. */
const MESSAGE_BYTES = 1024 ** 3;
/** Bytes that one UTF-16 unit needs at most in UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;

/** Up to so many bytes copying them into the slab costs less than telling where they are. */
const SMALL_BYTES = 512;

/** More is not gathered: nothing is gained that would pay for the copy. */
const GATHERED_BYTES = 4096;

/** Scratch for `addressOf`: low and high half. */
const addressWords = new Uint32Array(2);

function isLatin1(encoding: BufferEncoding): boolean {
  return encoding === 'latin1' || encoding === 'binary';
}

function isUtf8(encoding: BufferEncoding): boolean {
  return encoding === 'utf8' || encoding === 'utf-8';
}

/** Bytes that the string needs at most, or Infinity where only encoding it would tell. */
function boundOf(text: string, encoding: BufferEncoding): number {
  if (isLatin1(encoding)) return text.length;
  return isUtf8(encoding) ? text.length * UTF8_BYTES_PER_UNIT : Infinity;
}

/** A named pipe, which is no socket. */
export function isPipe(kind: SocketKind): boolean {
  return kind === 'local' && process.platform === 'win32';
}

/** How a write leaves. */
enum Mode {
  /** By a call of this thread, now. */
  Direct,
  /** Submitted and handed over, now: to a named pipe, which takes overlapped writes alone. */
  HandedOver,
  /** Submitted, and handed over with others (`Gathering`). */
  Gathered,
  /** Submitted: behind what waits, or to a thread. */
  Submitted,
}

export class ConnectionWriter implements FileQueue {
  bytesWritten = 0;
  /** Bytes submitted and not yet completed. */
  queued = 0;
  /** Requests whose callback waits for their completion. */
  unanswered = 0;
  /** See `Gathering`, whose these are. */
  gathers = true;
  completion = 0;
  writes = 0;
  writesBefore = 0;
  /** What the first direct send met that failed. The system says it once, then only EPIPE. */
  #directError: ErrorName | null = null;
  readonly #port: Port;
  readonly #id: number;
  readonly #pieceBytes: number;
  readonly #sendsDirectly: boolean;
  #first: SendRequest | null = null;
  #last: SendRequest | null = null;
  /** Requests that were completed before their completion came. */
  #ahead = 0;

  constructor(port: Port, id: number, kind: SocketKind) {
    this.#port = port;
    this.#id = id;
    this.#pieceBytes = isPipe(kind) ? MESSAGE_BYTES : PINNED_PIECE_BYTES;
    this.#sendsDirectly = !isPipe(kind);
  }

  write(chunk: Uint8Array | string, encoding: BufferEncoding, done: DoneCallback): void {
    const mode = this.#chooseMode();
    if (typeof chunk === 'string') {
      if (this.#writeEncoded(chunk, encoding, mode, done)) return;
      chunk = Buffer.from(chunk, encoding);
    }
    const { length } = chunk;
    if (mode === Mode.Gathered && length > GATHERED_BYTES) {
      if (this.#first !== null) this.handOver();
      if (this.#first === null) return this.#writeDirectly(chunk, done);
    }
    if (mode === Mode.Direct && length > SMALL_BYTES) return this.#writeDirectly(chunk, done);
    if (length <= LARGEST_BLOCK && this.#writeCopied(chunk, mode, done)) return;
    this.#writePinned(chunk, done);
    this.#leave(mode);
  }

  writev(chunks: readonly WriteChunk[], done: DoneCallback): void {
    let bound = 0;
    for (const { chunk, encoding } of chunks) {
      bound += typeof chunk === 'string' ? boundOf(chunk, encoding) : chunk.length;
    }
    if (bound <= LARGEST_BLOCK && this.#gather(chunks, bound, done)) return;
    this.#writeMany(chunks, done);
  }

  /** More than fits a block: submitted piece by piece, then handed over as one gathered send. */
  #writeMany(chunks: readonly WriteChunk[], done: DoneCallback): void {
    const last = chunks.length - 1;
    chunks.forEach(({ chunk, encoding }, i) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
      const answer = i === last ? done : ignore;
      if (bytes.length > SMALL_BYTES || !this.#writeCopied(bytes, Mode.Submitted, answer)) {
        this.#writePinned(bytes, answer);
      }
    });
    this.handOver();
  }

  /** See `Connection.sendFile()`. */
  sendFile(file: FileToSend, done: DoneCallback): ErrorName | null {
    // Of what is sent from files the system has no way into a pipe.
    if (!this.#sendsDirectly) return 'ENOTSUP';
    const handle = this.#port.native.duplicateFile(file.descriptor);
    if (typeof handle === 'string') return handle;
    new FileSend(this, file, handle, done).begin();
    return null;
  }

  submitBytes(bytes: Uint8Array, done: DoneCallback): void {
    this.#writePinned(bytes, done);
  }

  submitPiece(file: FileSend, offset: number, length: number): void {
    const { opcodes, sendFile } = this.#port.context.layout;
    const request = this.#append(length);
    request.file = file;
    const high = Math.floor(offset / 2 ** 32);
    this.#port.submit(opcodes.send, sendFile, this.#id, offset, length, high, file.handle);
    this.#leaveUnanswered(request, file.answer);
  }

  closeFile(handle: number): void {
    this.#port.native.closeFile(handle);
  }

  #chooseMode(): Mode {
    const port = this.#port;
    if (port.offloads) return Mode.Submitted;
    if (this.gathers && port.gathers(this)) return Mode.Gathered;
    if (this.#first !== null) return Mode.Submitted;
    return this.#sendsDirectly ? Mode.Direct : Mode.HandedOver;
  }

  /** Encodes a string straight into a block. False if there is none, or it might not fit. */
  #writeEncoded(text: string, encoding: BufferEncoding, mode: Mode, done: DoneCallback): boolean {
    const room = boundOf(text, encoding) + 1; // a text that native code writes has an end
    if (room > LARGEST_BLOCK) return false;
    const block = this.#port.slab.allocate(room);
    if (block < 0) return false;
    if (mode === Mode.Direct) this.#sendText(block, room, text, encoding, done);
    else this.#queueBlock(block, this.#encode(text, encoding, block), 0, mode, done);
    return true;
  }

  /** By one native call that encodes, too. */
  #sendText(
    block: number,
    room: number,
    text: string,
    encoding: BufferEncoding,
    done: DoneCallback,
  ): void {
    const { context, native } = this.#port;
    const { textBytesShift: shift } = context.layout;
    const result = native.sendTextNow(this.#id, block, room, text, isLatin1(encoding));
    const sent = this.#sent(result) & ((1 << shift) - 1);
    const length = result < 0 ? this.#encode(text, encoding, block) : result >> shift;
    this.#sentBlock(block, length, sent, done);
  }

  #writeCopied(chunk: Uint8Array, mode: Mode, done: DoneCallback): boolean {
    const block = this.#port.slab.allocate(chunk.length);
    if (block < 0) return false;
    this.#submitBlock(block, this.#copy(chunk, block), mode, done);
    return true;
  }

  /** Several chunks into one block: one copy each, one send. */
  #gather(chunks: readonly WriteChunk[], bound: number, done: DoneCallback): boolean {
    const { slab } = this.#port;
    const block = slab.allocate(bound);
    if (block < 0) return false;
    let at = block;
    for (const { chunk, encoding } of chunks) {
      if (typeof chunk === 'string') {
        at += this.#encode(chunk, encoding, at);
      } else {
        at += this.#copy(chunk, at);
      }
    }
    this.#submitBlock(block, at - block, this.#chooseMode(), done);
    return true;
  }

  /** Of a buffer that has been detached meanwhile nothing is left, and `set` would throw. */
  #copy(chunk: Uint8Array, at: number): number {
    if (chunk.length > 0) this.#port.slab.bytes.set(chunk, at);
    return chunk.length;
  }

  #encode(text: string, encoding: BufferEncoding, at: number): number {
    return this.#port.slab.bytes.write(text, at, encoding);
  }

  #submitBlock(block: number, length: number, mode: Mode, done: DoneCallback): void {
    if (mode !== Mode.Direct) return this.#queueBlock(block, length, 0, mode, done);
    const sent = this.#sent(this.#port.native.sendBlockNow(this.#id, block, length));
    this.#sentBlock(block, length, sent, done);
  }

  /** The rest follows. */
  #sentBlock(block: number, length: number, sent: number, done: DoneCallback): void {
    this.bytesWritten += sent;
    if (sent !== length) return this.#queueBlock(block, length, sent, Mode.Direct, done);
    this.#port.slab.free(block);
    done(null);
  }

  #queueBlock(block: number, length: number, sent: number, mode: Mode, done: DoneCallback): void {
    const request = this.#append(length - sent);
    request.block = block;
    const { opcodes } = this.#port.context.layout;
    this.#port.submit(opcodes.send, 0, this.#id, block + sent, length - sent);
    // Not before those ahead of it: they may be of the memory of the program.
    const isAcknowledged = this.queued <= ACKNOWLEDGED_BYTES && this.unanswered === 0;
    if (!isAcknowledged) this.#leaveUnanswered(request, done);
    this.#leave(mode); // which may complete the request, and call back for it
    if (isAcknowledged) done(null);
  }

  /** After a write was submitted. */
  #leave(mode: Mode): void {
    if (mode === Mode.Gathered && this.#port.gathering.add(this)) this.handOver();
    if (mode === Mode.HandedOver) this.handOver();
  }

  #writeDirectly(chunk: Uint8Array, done: DoneCallback): void {
    const sent = this.#sent(this.#port.native.sendNow(this.#id, chunk));
    this.bytesWritten += sent;
    if (sent === chunk.length) return done(null);
    this.#writePinned(sent === 0 ? chunk : chunk.subarray(sent), done);
  }

  /** Bytes that a direct send has taken. */
  #sent(result: number): number {
    if (result >= 0) return result;
    this.#directError ??= errorName(this.#port.context.layout, result);
    return 0;
  }

  /** The error for a result of the ring: why it was that the connection is broken, if we know. */
  errorOf(result: number): ErrorName {
    const error = errorName(this.#port.context.layout, result);
    return error === 'EPIPE' ? (this.#directError ?? error) : error;
  }

  #writePinned(bytes: Uint8Array, done: DoneCallback): void {
    const { context } = this.#port;
    const { opcodes, sendPinned } = context.layout;
    let request: SendRequest;
    let at = 0;
    do {
      const piece = bytes.subarray(at, at + this.#pieceBytes);
      request = this.#append(piece.length);
      request.pinned = piece;
      context.addressOf(piece, addressWords);
      const [low = 0, high = 0] = addressWords;
      this.#port.submit(opcodes.send, sendPinned, this.#id, low, piece.length, high);
      at += piece.length;
    } while (at < bytes.length);
    this.#leaveUnanswered(request, done);
  }

  #leaveUnanswered(request: SendRequest, done: DoneCallback): void {
    request.done = done;
    this.unanswered++;
  }

  #append(bytes: number): SendRequest {
    const request = this.#port.requests.take();
    request.bytes = bytes;
    if (this.#last === null) this.#first = request;
    else this.#last.next = request;
    this.#last = request;
    this.queued += bytes;
    this.bytesWritten += bytes;
    return request;
  }

  /** What was submitted is sent now, as far as the system takes it; by a thread, if that drives. */
  handOver(): void {
    if (this.#port.handOver(this.#id)) this.#completeAhead();
  }

  /** Everything that was submitted is sent. The completions that say so are still to come. */
  #completeAhead(): void {
    let count = 0;
    for (let request = this.#first; request !== null; request = request.next) count++;
    this.#complete(count, null);
    this.#ahead += count;
  }

  /**
   * The next `count` requests have completed; of the first, if it failed, the system had `taken` so
   * many bytes. True if one of them failed that had been acknowledged before.
   */
  complete(count: number, error: ErrorName | null, taken = 0): boolean {
    const known = Math.min(count, this.#ahead);
    this.#ahead -= known;
    return this.#complete(count - known, error, taken);
  }

  #complete(count: number, error: ErrorName | null, taken = 0): boolean {
    if (error === null) this.#directError = null; // it was not for good
    let wasAnswered = false;
    for (let left = count; left > 0 && this.#first !== null; left--) {
      const request = this.#first;
      this.#first = request.next;
      if (this.#first === null) this.#last = null;
      this.queued -= request.bytes;
      if (request.block >= 0) this.#port.slab.free(request.block);
      if (request.file !== null) this.#completePiece(request.file, request.bytes, error, taken);
      taken = 0;
      const { done } = request;
      this.#port.requests.give(request);
      if (done === null) {
        wasAnswered = true;
        continue;
      }
      this.unanswered--;
      this.#port.answer(done, error);
    }
    return wasAnswered && error !== null;
  }

  /** Of a piece that failed only so much was written. */
  #completePiece(file: FileSend, bytes: number, error: ErrorName | null, taken: number): void {
    const sent = error === null ? bytes : taken;
    this.bytesWritten -= bytes - sent;
    file.returned(sent);
  }

  /** Calls every callback still waiting. The memory stays with the port until completion. */
  answerAll(error: ErrorName): void {
    for (let request = this.#first; request !== null; request = request.next) {
      const { done } = request;
      if (done === null) continue;
      request.done = null;
      this.unanswered--;
      this.#port.answer(done, error);
    }
  }
}

function ignore(): void {
  // An earlier piece of a gathered write: the last piece answers for all.
}

/**
 * `socket.sendFile()`. On a connection of the core the system sends from the file by itself; on other
 * sockets (TLS, Node's own, named pipes) the file is read and written piece by piece.
 */
import { read as readFile } from 'node:fs';
import { linkUnlessReplaced } from '../handle/replaced';
import { closedBeforeConnection } from '../node/errors';
import type { NetSocket, WriteCallback } from '../node/internals';
import { resetWhenDestroyed } from '../server/admitted-socket';
import { Phase } from '../socket/link';
import { aborted, fileEnded, streamDestroyed, writeAfterEnd } from './errors';
import { checkRequest } from './options';
import type { FileSource, Request, SendFileCallback, SendFileOptions } from './options';
import { openFile } from './source';
import type { OpenFile } from './source';
import { writerOf } from './turns';
import type { SocketWriter } from './turns';

/** What is read at once where the system does not send from the file. */
const READ_BYTES = 256 * 1024;

enum Stage {
  /** Behind other writes, or its file is being opened. Nothing of it was sent. */
  Waiting,
  Sending,
  /** The caller has its answer. */
  Settled,
}

/** One file on its way. */
class FileTransfer {
  readonly #socket: NetSocket;
  readonly #request: Request;
  readonly #callback: SendFileCallback;
  #stage = Stage.Waiting;
  #sent = 0;
  #total = 0;
  readonly #onAbort = (): void => this.#abort();

  constructor(socket: NetSocket, request: Request, callback: SendFileCallback) {
    this.#socket = socket;
    this.#request = request;
    this.#callback = callback;
    request.signal?.addEventListener('abort', this.#onAbort);
  }

  /** Its turn among the writes. The stream goes on when `done` is called. */
  readonly takeTurn = (writer: SocketWriter, done: WriteCallback): void => {
    const onClose = (): void => this.settle(this.#destroyedError());
    this.#socket.once('close', onClose);
    void this.#run(writer).then((error) => {
      this.#socket.off('close', onClose);
      done(error);
    });
  };

  /** The error that ends the stream, or null. */
  async #run(writer: SocketWriter): Promise<Error | null> {
    let file: OpenFile | null = null;
    try {
      if (this.#isOver()) return null;
      await this.#connected();
      file = await openFile(this.#request);
      if (this.#isOver()) return null;
      await this.#send(writer, file);
      this.settle(null);
      return null;
    } catch (error) {
      return this.#fail(error as NodeJS.ErrnoException);
    } finally {
      file?.close();
    }
  }

  /** Nobody waits for it any more, or nobody can get it. */
  #isOver(): boolean {
    if (this.#socket.destroyed) this.settle(this.#destroyedError());
    return this.#stage === Stage.Settled;
  }

  #connected(): Promise<void> {
    const socket = this.#socket;
    if (!socket.connecting) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        socket.off('connect', settle);
        socket.off('close', settle);
        if (socket.connecting || socket.destroyed) reject(closedBeforeConnection());
        else resolve();
      };
      socket.once('connect', settle);
      socket.once('close', settle);
    });
  }

  async #send(writer: SocketWriter, file: OpenFile): Promise<void> {
    this.#total = file.end - file.start;
    this.#stage = Stage.Sending;
    if (await this.#sendFromCore(file)) {
      // Up to Node 20 the write under way of a socket that was destroyed counts as done.
      if (this.#sent < this.#total) throw this.#destroyedError();
      return;
    }
    const { head, tail } = this.#request;
    if (head !== null) await this.#write(writer, head);
    await this.#copy(writer, file);
    if (tail !== null) await this.#write(writer, tail);
  }

  /** False where the core does not serve the socket, or not so. */
  async #sendFromCore({ descriptor, start, end }: OpenFile): Promise<boolean> {
    const link = linkUnlessReplaced(this.#socket, 'writing');
    const connection = link?.phase === Phase.Open ? link.connection : null;
    if (link === undefined || connection === null) return false;
    const { head, tail } = this.#request;
    const progress = (sent: number): void => this.#progress(sent);
    const file = { descriptor, start, end, head, tail, progress };
    return new Promise((resolve, reject) => {
      const written: WriteCallback = (error) => {
        if (error) reject(error);
        else resolve(true);
      };
      if (link.sendFile(connection, file, written) !== null) resolve(false);
    });
  }

  async #copy(writer: SocketWriter, { descriptor, start, end }: OpenFile): Promise<void> {
    const memory = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#total));
    for (let at = start; at < end; at = start + this.#sent) {
      const length = Math.min(memory.length, end - at);
      const count = await new Promise<number>((resolve, reject) => {
        readFile(descriptor, memory, 0, length, at, (error, bytes) => {
          if (error) reject(error);
          else resolve(bytes);
        });
      });
      if (count === 0) throw fileEnded(this.#sent, this.#total);
      await this.#write(writer, memory.subarray(0, count));
      this.#progress(this.#sent + count);
    }
  }

  /** Past the stream, in whose turn this is. */
  async #write(writer: SocketWriter, bytes: Buffer): Promise<void> {
    if (this.#socket.destroyed) throw this.#destroyedError();
    await new Promise<void>((resolve, reject) => {
      writer.write(bytes, 'buffer' as BufferEncoding, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    if (this.#socket.destroyed) throw this.#destroyedError();
  }

  #progress(sent: number): void {
    if (sent === this.#sent) return;
    this.#sent = sent;
    if (this.#stage === Stage.Sending) this.#request.onProgress?.(sent, this.#total);
  }

  #destroyedError(): Error {
    return this.#socket.errored ?? streamDestroyed('sendFile');
  }

  /**
   * What is to destroy the stream, where the file could not be sent. Null where it goes on, or is
   * destroyed: then what is written behind has the stream's own error.
   */
  #fail(error: NodeJS.ErrnoException): Error | null {
    const hasBegun = this.#stage === Stage.Sending;
    if (this.#socket.destroyed) {
      this.settle(this.#destroyedError());
      return null;
    }
    const isShort = error.code === 'EOF' || error.code === 'ERR_IOCP_NET_FILE_ENDED';
    const told = error.code === 'EOF' ? fileEnded(this.#sent, this.#total) : error;
    this.settle(told);
    if (!hasBegun && error.code !== 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION') return null;
    // The caller knows: no 'error' is to end a program that has no listener for it.
    if (!isShort) return told;
    this.#reset();
    return null;
  }

  #abort(): void {
    const hasBegun = this.#stage === Stage.Sending;
    this.settle(aborted(this.#request.signal?.reason));
    if (hasBegun) this.#reset();
  }

  /** The peer cannot know where the file would have ended: it is to see that the end is none. */
  #reset(): void {
    resetWhenDestroyed(this.#socket);
    this.#socket.destroy();
  }

  settle(error: Error | null): void {
    if (this.#stage === Stage.Settled) return;
    this.#stage = Stage.Settled;
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    if (error !== null) Object.assign(error, { bytesSent: this.#sent });
    this.#callback(error, this.#sent);
  }
}

function start(socket: NetSocket, request: Request, callback: SendFileCallback): void {
  const { signal } = request;
  const refused = signal?.aborted
    ? aborted(signal.reason)
    : socket.destroyed
      ? streamDestroyed('sendFile')
      : socket.writableEnded
        ? writeAfterEnd()
        : null;
  if (refused !== null) {
    process.nextTick(callback, Object.assign(refused, { bytesSent: 0 }), 0);
    return;
  }
  const transfer = new FileTransfer(socket, request, callback);
  writerOf(socket).queue(transfer.takeTurn, (error) => {
    if (error) transfer.settle(error);
  });
}

type Arguments = [options?: SendFileOptions | SendFileCallback, callback?: SendFileCallback];

/** See `FileSending.sendFile()`. */
export function sendFile(
  socket: object,
  file: FileSource,
  ...[options, callback]: Arguments
): Promise<number> | undefined {
  const isCallback = typeof options === 'function';
  const given = isCallback ? undefined : options;
  const answer = isCallback ? options : callback;
  if (answer !== undefined) {
    start(socket as NetSocket, checkRequest(file, given), answer);
    return undefined;
  }
  return new Promise((resolve, reject) => {
    start(socket as NetSocket, checkRequest(file, given), (error, sent) => {
      if (error === null) resolve(sent);
      else reject(error);
    });
  });
}

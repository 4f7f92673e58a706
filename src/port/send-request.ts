/**
 * What a connection remembers of one submitted send, from submission to completion. Requests are
 * recycled: a busy server allocates none.
 */
import type { DoneCallback } from './contract';
import type { FileSend } from './file-send';

export class SendRequest {
  /** Offset of the block to free, or -1. */
  block = -1;
  /** Keeps the caller's memory alive while the operating system may read it. */
  pinned: Uint8Array | null = null;
  /** Whose piece it is. */
  file: FileSend | null = null;
  bytes = 0;
  /** Null when the write was acknowledged at once. */
  done: DoneCallback | null = null;
  next: SendRequest | null = null;
}

export class SendRequestPool {
  #free: SendRequest | null = null;

  take(): SendRequest {
    const request = this.#free;
    if (request === null) return new SendRequest();
    this.#free = request.next;
    request.next = null;
    return request;
  }

  give(request: SendRequest): void {
    request.block = -1;
    request.pinned = null;
    request.file = null;
    request.done = null;
    request.next = this.#free;
    this.#free = request;
  }
}

/** A listening socket of ours that others have, too: the primary of a cluster, or another server. */
import { core } from '../core';

/** Stands as `server._handle` from when a server gets it until it is adopted. */
export class SharedListener {
  /** The native handle, this object's own. */
  readonly handle: number;
  /** Called when the server closes. */
  readonly atEnd: () => void;

  constructor(handle: number, atEnd: () => void) {
    this.handle = handle;
    this.atEnd = atEnd;
  }

  /** For a server that was closed before it got this. */
  close(): void {
    core()?.closeHandle(this.handle);
    this.atEnd();
  }
}

/** Receiving on a connection whose handle may be read by native code. */
import type { Connection, ConnectionOwner, ErrorName } from '../../port/contract';
import { SilentOwner } from '../silent-owner';
import type { TcpHandle } from './tcp-handle';

/**
 * Owns a connection while native code may be the one that consumes its data: from a look at
 * `socket._handle` until it is known that nobody does.
 *
 * Whether there is a consumer cannot be asked. So what arrives is put into the native stream, and
 * where it comes out of the stream's last resort, `onread`, nobody was there to take it. Then the
 * socket gets the bytes, and all others without this detour, until someone looks at the handle
 * again. A consumer that leaves (an upgraded HTTP connection) is noticed in the same way.
 */
export class HandleReader implements ConnectionOwner {
  readonly #handle: TcpHandle;
  #unclaimed = false;
  readonly #receiver = (): void => {
    this.#unclaimed = true;
  };
  /** Owed to native code that is under way; null when it is not. */
  #afterNative: (() => void)[] | null = null;

  constructor(handle: TcpHandle) {
    this.#handle = handle;
  }

  get shownAs(): object {
    return this.#handle.shownAs;
  }

  /** Makes the handle's last resort ours. Node's own sockets put theirs in its place. */
  receiveUnclaimed(): void {
    this.#handle.onread = this.#receiver;
  }

  /** From now on, native code may be the consumer. */
  takeOver(connection: Connection): void {
    if (connection.owner === this.#handle.link) connection.owner = this;
  }

  onConnect(error: ErrorName | null): void {
    this.#handle.connected(error);
  }

  /**
   * Calls into native code. What that asks for by `afterNative` meanwhile follows when it returns,
   * not within it.
   */
  enterNative(call: () => void): void {
    if (this.#afterNative !== null) {
      call();
      return;
    }
    const owed = (this.#afterNative = [] as (() => void)[]);
    try {
      call();
    } finally {
      this.#settle(owed);
    }
  }

  #settle(owed: readonly (() => void)[]): void {
    try {
      for (const next of owed) next(); // which may add to them
    } finally {
      this.#afterNative = null;
    }
  }

  /** Calls into native code now, or as soon as it has returned from where it is. */
  afterNative(call: () => void): void {
    if (this.#afterNative === null) this.enterNative(call);
    else this.#afterNative.push(call);
  }

  onData(chunk: Buffer): boolean {
    this.#unclaimed = false;
    this.enterNative(() => this.#handle.readBuffer(chunk));
    const link = this.#unclaimed ? this.#giveBack() : null;
    // Native consumers stop reading by a call.
    return link === null || link.onData(chunk);
  }

  onEnd(): void {
    this.#unclaimed = false;
    this.#handle.emitEOF();
    if (this.#unclaimed) this.#giveBack()?.onEnd();
  }

  // The class has no way to pass on an error, so the socket gets it: the one that the consumer
  // reads, or the consumer itself, as what native TLS makes of an error is the same.
  onReadError(error: ErrorName): void {
    const { link } = this.#handle;
    if (link === null) this.#handle.fail(error);
    else link.onReadError(error);
  }

  onWriteError(error: ErrorName): void {
    if (!this.#handle.lateWriteError(error)) this.#handle.link?.onWriteError(error);
  }

  onClose(): void {
    // At close() a HandleClosingOwner takes over.
  }

  #giveBack() {
    const { connection, link } = this.#handle;
    // Others who have put theirs around it want to see all.
    const isAlone = this.#handle.onread === this.#receiver;
    if (isAlone && link !== null && connection?.owner === this) connection.owner = link;
    return link;
  }
}

/** Waits for the end of a connection whose handle was closed. */
export class HandleClosingOwner extends SilentOwner {
  override readonly shownAs: object;
  readonly #closed: () => void;

  constructor(shownAs: object, closed: () => void) {
    super();
    this.shownAs = shownAs;
    this.#closed = closed;
  }

  override onClose(): void {
    this.#closed();
  }
}

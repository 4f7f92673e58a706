/** Receiving on a connection whose handle may be read by native code. */
import type {
  Connection,
  ConnectionOwner,
  ErrorName,
  StreamOwner,
  Verdict,
} from '../../port/contract';
import type { SocketHandle } from './handle-interface';

/**
 * Owns a connection while native code may be the one that consumes its data: from a look at
 * `socket._handle` until it is known that nobody does.
 *
 * Whether there is a consumer cannot be asked. So what arrives is put into the native stream, and
 * where it comes out of the stream's last resort, `onread`, nobody was there to take it. Then the
 * socket gets the bytes, and all others without this detour, until someone looks at the handle
 * again. A consumer that leaves (an upgraded HTTP connection) is noticed in the same way.
 */
export class HandleReader implements StreamOwner {
  readonly #handle: SocketHandle;
  #unclaimed = false;
  readonly #receiver = (): void => {
    this.#unclaimed = true;
  };
  /** What comes next is for the socket alone. */
  #passesOn = false;
  /** Owed to native code that is under way; null when it is not. */
  #afterNative: (() => void)[] | null = null;

  constructor(handle: SocketHandle) {
    this.#handle = handle;
  }

  get isNative(): boolean {
    return !this.#passesOn;
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
   * Tells native code that something is done. What that asks for by `afterNative` meanwhile follows
   * when it returns, not within it: HTTP/2 goes on with what it had received and put aside, and
   * would do so within itself.
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

  onData(chunk: Buffer): Verdict {
    if (this.#passesOn) {
      this.#passesOn = false;
      return this.#handle.link?.onData(chunk) ?? true;
    }
    this.#unclaimed = false;
    this.#handle.readBuffer(chunk);
    // Native consumers stop reading by a call.
    return this.#unclaimed && this.#giveBack() ? 'unclaimed' : true;
  }

  onEnd(): Verdict | void {
    if (this.#passesOn) {
      this.#passesOn = false;
      return this.#handle.link?.onEnd();
    }
    this.#unclaimed = false;
    this.#handle.emitEOF();
    return this.#unclaimed && this.#giveBack() ? 'unclaimed' : true;
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

  /**
   * The socket is to have what nobody claimed, in its own context; false where there is none. Others
   * who have put a receiver of theirs around ours want to see all that follows, too.
   */
  #giveBack(): boolean {
    const { connection, link } = this.#handle;
    if (link === null || connection?.owner !== this) return false;
    if (this.#handle.onread === this.#receiver) connection.owner = link;
    else this.#passesOn = true;
    return true;
  }
}

/** Takes over at close(), and waits for the end of the connection. */
export class HandleClosingOwner implements ConnectionOwner {
  readonly shownAs: object;
  readonly #closed: () => void;

  constructor(shownAs: object, closed: () => void) {
    this.shownAs = shownAs;
    this.#closed = closed;
  }

  onClose(): void {
    this.#closed();
  }
}

/**
 * Datagrams on their way to the system. A lone one is handed over at once. Those that come together
 * leave together, by one call for all and by one system call for those of one socket that follow
 * each other:
 *
 * - in a dispatch, while more is to be delivered in it: what answers a batch of datagrams leaves in
 *   one, after 250 µs at the latest as far as somebody looks;
 * - elsewhere, from the second on in a row of ticks: a tick behind them hands them over.
 *
 * So nothing waits for the network or for a timer, but what is held may wait for a callback that
 * computes for long before it returns.
 */
import { errorName, type Layout, type NativePort } from './binding';
import type { ErrorName, SentCallback } from './contract';
import type { DatagramMemory } from './datagram-memory';

/** Node's, whatever a test's fake timers put in its place later. */
const now = performance.now.bind(performance);
const nextTick = process.nextTick;

/** How long, in milliseconds, a datagram may wait for others. */
const LONGEST_MS = 0.25;

/** Who sends: a socket, for the outbox. */
export interface Sender {
  readonly id: number;
  readonly family: 'ipv4' | 'ipv6';
  /** The system has no room for it now. */
  hold(datagram: Datagram, error: ErrorName): void;
  /** What was put here has left it. */
  left(bytes: number): void;
}

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Null: the connected peer. */
  readonly address: string | null;
  readonly port: number;
  readonly done: SentCallback | null;
}

/** A datagram whose bytes are in the memory, where the outbox has put them. */
type Written = Omit<Datagram, 'bytes'>;

interface Entry extends Written {
  readonly sender: Sender;
  readonly offset: number;
}

/** How a put ended: so many bytes have left, or an error; undefined: somebody will be told. */
export type PutResult = number | ErrorName | undefined;

export class Outbox {
  readonly #native: NativePort;
  readonly #layout: Layout;
  readonly #memory: DatagramMemory;
  readonly #othersFollow: () => boolean;
  readonly #flushAtTick = (): void => {
    this.#hasSent = false;
    this.flush();
  };
  #entries: Entry[] = [];
  #used = 0;
  #since = 0;
  /** Something was handed over since the last tick of ours, or in this dispatch. */
  #hasSent = false;

  constructor(
    native: NativePort,
    layout: Layout,
    memory: DatagramMemory,
    /** Whether a dispatch is under way that has more to deliver. */
    othersFollow: () => boolean,
  ) {
    this.#native = native;
    this.#layout = layout;
    this.#memory = memory;
    this.#othersFollow = othersFollow;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Copies the datagram in, and hands over or holds it. `isInDispatch`: its end hands over. */
  put(
    sender: Sender,
    chunks: readonly Uint8Array[],
    datagram: Written,
    isInDispatch: boolean,
  ): PutResult {
    const { length } = datagram;
    const { sendBytes, sendRecords } = this.#layout.datagrams;
    if (this.#used + length > sendBytes || this.#entries.length === sendRecords) this.flush();
    const refused = this.#write(sender, chunks, datagram);
    if (refused !== null) return refused;
    if (this.#hasSent || this.#othersFollow()) {
      this.#hold(sender, datagram);
      return undefined;
    }
    this.#hasSent = true;
    if (!isInDispatch) nextTick.call(process, this.#flushAtTick);
    return this.#sendWith(sender, datagram);
  }

  #write(
    sender: Sender,
    chunks: readonly Uint8Array[],
    { length, address, port }: Written,
  ): ErrorName | null {
    const index = this.#entries.length;
    this.#memory.write(index, sender.id, this.#used, length);
    if (address !== null) {
      const refused = this.#memory.address(index, address, sender.family, port);
      if (refused !== null) return refused;
    }
    let at = this.#used;
    for (const chunk of chunks) {
      this.#memory.writePayload(at, chunk);
      at += chunk.length;
    }
    return null;
  }

  #hold(sender: Sender, { length, address, port, done }: Written): void {
    const count = this.#entries.push({ length, address, port, done, sender, offset: this.#used });
    this.#used += length;
    if (count === 1) this.#since = now();
    else if (now() - this.#since > LONGEST_MS) this.flush();
  }

  /** All that is held, and this one behind it, which is written. */
  #sendWith(sender: Sender, datagram: Written): PutResult {
    const last = this.#entries.length;
    this.#native.sendDatagrams(last + 1);
    const result = this.#memory.result(last);
    const offset = this.#used;
    this.#settle();
    if (result >= 0) return result;
    const error = errorName(this.#layout, result);
    if (!isForLater(error)) return error;
    sender.hold(this.#copy(datagram, offset), error);
    return undefined;
  }

  /** Hands over what is held. */
  flush(): void {
    if (this.#entries.length === 0) return;
    this.#native.sendDatagrams(this.#entries.length);
    this.#settle();
  }

  /** A dispatch is over. */
  endDispatch(): void {
    this.#hasSent = false;
    this.flush();
  }

  /** Everything held has its result. Nobody is called back from here but by ticks. */
  #settle(): void {
    this.#used = 0;
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    entries.forEach((entry, index) => this.#settleOne(entry, index));
  }

  #settleOne(entry: Entry, index: number): void {
    const { sender, done } = entry;
    sender.left(entry.length);
    const result = this.#memory.result(index);
    const error = result < 0 ? errorName(this.#layout, result) : null;
    if (error !== null && isForLater(error)) sender.hold(this.#copy(entry, entry.offset), error);
    else if (done !== null) nextTick(done, error, Math.max(result, 0));
  }

  #copy({ length, address, port, done }: Written, offset: number): Datagram {
    return { length, address, port, done, bytes: this.#memory.copyPayload(offset, length) };
  }
}

const isForLater = (error: ErrorName): boolean => error === 'EAGAIN' || error === 'ENOBUFS';

/** A datagram socket on a port. */
import { setTimeout as nodeSetTimeout } from 'node:timers';
import { errorName, type Layout, type NativePort } from './binding';
import type {
  DatagramOption,
  DatagramOwner,
  DatagramSocket,
  Endpoint,
  ErrorName,
  GroupSettings,
  SentCallback,
} from './contract';
import type { DatagramMemory } from './datagram-memory';
import type { Datagram, Outbox, Sender } from './outbox';
import type { Port } from './port';

/** Node's, whatever a test's fake timers put in its place later. */
const setTimeout = nodeSetTimeout;
const nextTick = process.nextTick;

/** What no datagram is longer than: 16 bits of length, less the header of UDP. */
const LONGEST = 65535 - 8;
/** Before a send is tried again of which the system does not tell when it has room, in milliseconds. */
const PAUSE_MS = 2;

enum State {
  Open,
  Closed,
}

/** Who waits for something to receive. */
enum Receiving {
  Stopped,
  /** Wanted, and the port waits. */
  Awaited,
  /** Wanted, and it has come. */
  Ready,
  /** Not wanted any more, but the port waits still. */
  AwaitedInVain,
}

/** What the datagram sockets of a port share. */
export interface DatagramHost {
  readonly port: Port;
  readonly layout: Layout;
  readonly outbox: Outbox;
}

export class PortDatagramSocket implements DatagramSocket, Sender {
  readonly #datagrams: DatagramHost;
  readonly #owner: DatagramOwner;
  #state = State.Open;
  #receiving = Receiving.Stopped;
  /** What the system had no room for, in order. */
  #waiting: Datagram[] = [];
  #waitingBytes = 0;
  #heldBytes = 0;
  #heldCount = 0;
  #refed = true;
  #holdsLoop = false;

  constructor(
    datagrams: DatagramHost,
    readonly id: number,
    readonly family: 'ipv4' | 'ipv6',
    owner: DatagramOwner,
  ) {
    this.#datagrams = datagrams;
    this.#owner = owner;
  }

  // --- Receiving

  get isReceiving(): boolean {
    return this.#receiving === Receiving.Awaited || this.#receiving === Receiving.Ready;
  }

  startReceiving(): void {
    if (this.#receiving === Receiving.AwaitedInVain) this.#receiving = Receiving.Awaited;
    if (this.#state === State.Closed || this.isReceiving) return;
    this.#receiving = Receiving.Ready;
    this.awaitReadable(false);
    // A thread that sleeps has to learn of it; the event loop comes by anyway.
    this.#holdLoop();
  }

  stopReceiving(): void {
    if (!this.isReceiving) return;
    const isAwaited = this.#receiving === Receiving.Awaited;
    this.#receiving = isAwaited ? Receiving.AwaitedInVain : Receiving.Stopped;
    this.#holdLoop();
  }

  /** The answer to `awaitReadable()`: whether somebody wants it. */
  isAwaiting(): boolean {
    const isWanted = this.#receiving === Receiving.Awaited;
    this.#receiving = isWanted ? Receiving.Ready : Receiving.Stopped;
    return isWanted;
  }

  awaitReadable(mayBeReadable: boolean): void {
    if (this.#receiving !== Receiving.Ready) return;
    this.#receiving = Receiving.Awaited;
    const { port, layout } = this.#datagrams;
    port.submit(layout.opcodes.awaitReadable, mayBeReadable ? layout.mayBeReadable : 0, this.id);
  }

  deliver(memory: DatagramMemory, index: number): void {
    this.#owner.onDatagram(
      memory.payload(index),
      memory.sender(index),
      memory.senderFamily(index),
      memory.senderPort(index),
    );
  }

  fail(error: ErrorName): void {
    this.#owner.onReceiveError(error);
  }

  // --- Sending

  get queuedBytes(): number {
    return this.#heldBytes + this.#waitingBytes;
  }

  get queuedCount(): number {
    return this.#heldCount + this.#waiting.length;
  }

  send(
    chunks: readonly Uint8Array[],
    address: string | null,
    port: number,
    done: SentCallback | null,
  ): number | ErrorName | undefined {
    if (this.#state === State.Closed) return 'EBADF';
    let length = 0;
    let areBytes = true;
    for (const chunk of chunks) {
      length += chunk.byteLength;
      areBytes &&= chunk instanceof Uint8Array;
    }
    if (length > LONGEST) return 'EMSGSIZE';
    const pieces = areBytes ? chunks : chunks.map(bytesOf);
    if (this.#waiting.length > 0) {
      this.#wait({ bytes: Buffer.concat(pieces, length), length, address, port, done });
      return undefined;
    }
    // Before it is put, which may send it with what is held.
    this.#heldBytes += length;
    this.#heldCount++;
    const { outbox, port: ownPort } = this.#datagrams;
    const result = outbox.put(this, pieces, { length, address, port, done }, ownPort.isDispatching);
    if (result !== undefined) this.left(length);
    return result;
  }

  left(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#heldCount--;
  }

  hold(datagram: Datagram, error: ErrorName): void {
    const isFirst = this.#waiting.length === 0;
    this.#wait(datagram);
    if (!isFirst) return;
    if (error === 'EAGAIN') this.#awaitWritable();
    else this.#pause();
  }

  #wait(datagram: Datagram): void {
    this.#waiting.push(datagram);
    this.#waitingBytes += datagram.length;
    this.#holdLoop();
  }

  #awaitWritable(): void {
    const { port, layout } = this.#datagrams;
    port.submit(layout.opcodes.awaitWritable, 0, this.id);
  }

  #pause(): void {
    setTimeout(() => this.#sendWaiting(), PAUSE_MS);
  }

  completeWritable(result: number): void {
    if (result < 0) this.#pause();
    else this.#sendWaiting();
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { bytes, address, port, done } of waiting) {
      const result = this.send([bytes], address, port, done);
      if (result === undefined || done === null) continue;
      if (typeof result === 'string') nextTick(done, result, 0);
      else nextTick(done, null, result);
    }
    this.#holdLoop();
  }

  // --- The control plane

  connect(address?: string, port?: number): ErrorName | null {
    if (this.#state === State.Closed) return 'EBADF';
    this.#datagrams.outbox.flush();
    return this.#named(this.#native().connectDatagrams(this.id, address, port));
  }

  localEndpoint(): Endpoint | ErrorName {
    if (this.#state === State.Closed) return 'EBADF';
    return this.#native().datagramAddress(this.id);
  }

  peerEndpoint(): Endpoint | ErrorName {
    if (this.#state === State.Closed) return 'EBADF';
    return this.#native().datagramPeer(this.id);
  }

  /** What was sent before is sent as the option was then. */
  setOption(option: DatagramOption, value: number): ErrorName | null {
    if (this.#state === State.Closed) return 'EBADF';
    this.#datagrams.outbox.flush();
    const number = this.#datagrams.layout.datagramOptions[option];
    return this.#named(this.#native().setDatagramOption(this.id, number, value));
  }

  setMulticastInterface(address: string): ErrorName | null {
    if (this.#state === State.Closed) return 'EBADF';
    this.#datagrams.outbox.flush();
    return this.#named(this.#native().setMulticastInterface(this.id, address));
  }

  joinGroup(join: boolean, { group, source, networkInterface }: GroupSettings): ErrorName | null {
    if (this.#state === State.Closed) return 'EBADF';
    return this.#named(this.#native().joinGroup(this.id, join, group, source, networkInterface));
  }

  bufferSize(of: 'receive' | 'send', bytes: number): number | ErrorName {
    if (this.#state === State.Closed) return 'EBADF';
    const size = this.#native().datagramBufferSize(this.id, of === 'receive', bytes);
    return size < 0 ? errorName(this.#datagrams.layout, size) : size;
  }

  get fd(): number {
    if (this.#state === State.Closed || process.platform === 'win32') return -1;
    return this.#native().nativeDatagramHandle(this.id);
  }

  duplicate(): number | ErrorName {
    if (this.#state === State.Closed) return 'EBADF';
    return this.#native().duplicateDatagrams(this.id);
  }

  #native(): NativePort {
    return this.#datagrams.port.native;
  }

  #named(result: number): ErrorName | null {
    return result < 0 ? errorName(this.#datagrams.layout, result) : null;
  }

  // --- The end

  close(): void {
    if (this.#state === State.Closed) return;
    const { outbox, port, layout } = this.#datagrams;
    outbox.flush();
    this.#state = State.Closed;
    this.#receiving = Receiving.Stopped;
    const dropped = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { done } of dropped) if (done !== null) nextTick(done, 'ECANCELED', 0);
    this.#holdLoop();
    port.closeNow(layout.opcodes.closeDatagrams, this.id);
  }

  ref(): void {
    this.#refed = true;
    this.#holdLoop();
  }

  unref(): void {
    this.#refed = false;
    this.#holdLoop();
  }

  #holdLoop(): void {
    const isActive = this.isReceiving || this.#waiting.length > 0;
    const holds = this.#refed && isActive;
    if (holds === this.#holdsLoop) return;
    this.#holdsLoop = holds;
    if (holds) this.#datagrams.port.ref();
    else this.#datagrams.port.unref();
  }
}

/** Of a view of another kind. */
function bytesOf(chunk: Uint8Array): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  const { buffer, byteOffset, byteLength } = chunk as ArrayBufferView;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** The datagram sockets of one port: what they share, and to which of them a completion goes. */
import { errorName, type Layout } from './binding';
import type { DatagramOwner, DatagramSettings, ErrorName } from './contract';
import { DatagramMemory } from './datagram-memory';
import { PortDatagramSocket, type DatagramHost } from './datagram-socket';
import { DatagramTurn } from './datagram-turn';
import { Outbox } from './outbox';
import type { Port } from './port';
import type { ServedDatagrams } from './served';
import type { CompletionRing } from './ring';
import { Slots } from './slots';

/**
 * Datagrams that were received together, on their way to their owner: one in each callback. They
 * stand in the memory of the port until then, so nothing else is received before the last is
 * delivered.
 */
class Batch {
  readonly #memory: DatagramMemory;
  #socket: PortDatagramSocket | null = null;
  #next = 0;
  #count = 0;

  constructor(memory: DatagramMemory) {
    this.#memory = memory;
  }

  begin(socket: PortDatagramSocket, count: number): void {
    this.#socket = socket;
    this.#next = 0;
    this.#count = count;
  }

  /** A socket that is closed or has stopped takes none any more. */
  get isOver(): boolean {
    return this.#socket?.isReceiving !== true;
  }

  deliverOne(): void {
    const socket = this.#socket;
    if (socket === null) return;
    const index = this.#next++;
    // Before the callback, in which what is sent leaves with what others send, or does not wait.
    if (this.#next === this.#count) this.#socket = null;
    socket.deliver(this.#memory, index);
  }
}

export class PortDatagrams implements ServedDatagrams, DatagramHost {
  readonly outbox: Outbox;
  readonly #sockets: Slots<PortDatagramSocket>;
  readonly #batch: Batch;
  readonly #turn: DatagramTurn;
  /** These have something to receive, or had it. */
  readonly #readable: PortDatagramSocket[] = [];

  constructor(
    readonly port: Port,
    readonly memory: DatagramMemory,
  ) {
    const { layout } = port.context;
    this.#sockets = new Slots(layout.indexMask);
    this.#batch = new Batch(memory);
    this.#turn = new DatagramTurn(port.isForDatagrams);
    this.outbox = new Outbox(port.native, layout, memory, () => port.othersFollow);
  }

  get layout(): Layout {
    return this.port.context.layout;
  }

  bind(settings: DatagramSettings, owner: DatagramOwner): PortDatagramSocket | ErrorName {
    const id = this.port.native.prepareDatagrams(
      settings.address,
      settings.port,
      settings.ipv6Only,
      settings.reuseAddress,
      settings.reusePort,
    );
    if (typeof id === 'string') return id;
    const family = settings.address.includes(':') ? 'ipv6' : 'ipv4';
    const socket = new PortDatagramSocket(this, id, family, owner);
    this.#sockets.add(socket);
    return socket;
  }

  serves(fd: number): boolean {
    return [...this.#sockets].some((socket) => socket.fd === fd);
  }

  /** False where it is of no datagram socket. */
  complete({ opcode, id, result }: CompletionRing): boolean {
    const { awaitReadable, awaitWritable, closeDatagrams } = this.layout.opcodes;
    switch (opcode) {
      case awaitReadable:
        this.#refuse(this.#sockets.find(id), result);
        return true;
      case awaitWritable:
        this.#sockets.find(id)?.completeWritable(result);
        return true;
      case closeDatagrams:
        this.#sockets.delete(id);
        return true;
      default:
        return false;
    }
  }

  get hasReceived(): boolean {
    return this.#readable.length > 0 || !this.#batch.isOver;
  }

  noteReadable(id: number): void {
    const socket = this.#sockets.find(id);
    if (socket !== undefined) this.#readable.push(socket);
  }

  get isTimeUp(): boolean {
    return this.#turn.isOver;
  }

  awaitTurn(): void {
    this.#turn.await();
  }

  deliverOne(): void {
    this.#turn.begin();
    this.#deliverNext();
    this.#turn.look();
  }

  #deliverNext(): void {
    if (this.#batch.isOver) {
      const socket = this.#readable.shift();
      if (socket?.isAwaiting()) this.#receive(socket);
    }
    if (!this.#batch.isOver) this.#batch.deliverOne();
  }

  #receive(socket: PortDatagramSocket): void {
    const count = this.port.native.receiveDatagrams(socket.id);
    if (count > 0) {
      socket.awaitReadable(count === this.layout.datagrams.batch);
      this.#batch.begin(socket, count);
      return;
    }
    const error = errorName(this.layout, count);
    socket.awaitReadable(error !== 'EAGAIN');
    if (error !== 'EAGAIN') socket.fail(error);
  }

  /** One that cannot be waited for at all is not asked again. */
  #refuse(socket: PortDatagramSocket | undefined, result: number): void {
    if (socket?.isAwaiting()) socket.fail(errorName(this.layout, result));
  }
}

/** Null where there is no memory for them. */
export function datagramsOf(port: Port): ServedDatagrams | null {
  if (port.datagrams === null) {
    const memory = DatagramMemory.open(port.native, port.context.layout);
    if (memory !== null) port.datagrams = new PortDatagrams(port, memory);
  }
  return port.datagrams;
}

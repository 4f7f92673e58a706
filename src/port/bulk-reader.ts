/**
 * Receiving on this thread, into memory that becomes the user's. What the I/O thread receives is
 * copied once more here, and has left the cache when it is, which for larger pieces costs more than
 * the hop saves. So the I/O thread only says when there is something (`readable`), and the bytes
 * are received where they are wanted, as under `node:net`. While much comes, not even that: each
 * turn of the event loop reads again.
 *
 * A connection has one from its first large chunk until it has sent little for a while. It reads
 * only while no credit is out, so that nobody else receives from the same socket.
 */
import type { Port } from './port';
import { canRunTicks } from './ticks';

/** Reads after which others have their turn: 1 MiB. One, where no ticks can come between. */
const READS_PER_TURN = canRunTicks ? 16 : 1;
/**
 * A chunk of more, in bytes, makes its connection one to read from here. A turn that brought more is
 * followed by another without being asked for: a hop through the I/O thread costs more than a look
 * in vain. One that did not was better served with chunks.
 */
const LITTLE_BYTES = 16 * 1024;
/** After so many of those in a row the connection gets chunks again. */
const LITTLE_TURNS = 4;

export enum Readable {
  /** Nobody was asked. */
  Unknown,
  /** The I/O thread was asked, and will say. */
  Awaited,
  /** There is something to read, or was a moment ago. */
  Yes,
}

/** Whether a connection that sends so many bytes at once is read from on this thread. */
export function isBulk(bytes: number): boolean {
  return bytes > LITTLE_BYTES;
}

/** Memory for the next read, of whichever connection: the last one needed little of it. */
let spare: Buffer | null = null;

export class BulkReader {
  readable = Readable.Unknown;
  readonly #port: Port;
  readonly #id: number;
  #reads = 0;
  #bytes = 0;
  #littleTurns = 0;
  /** The turn before was of one read: messages, and perhaps one at a time. */
  #wasOneRead = false;

  constructor(port: Port, id: number) {
    this.#port = port;
    this.#id = id;
  }

  /** Asks the I/O thread to say when there is something. */
  await(): void {
    this.readable = Readable.Awaited;
    this.#port.submit(this.#port.context.layout.opcodes.readable, 0, this.#id);
  }

  beginTurn(): void {
    this.readable = Readable.Yes;
    this.#wasOneRead = this.#reads === 1;
    this.#reads = 0;
    this.#bytes = 0;
  }

  /** Nothing more is there, or it is enough for now. */
  endTurn(): void {
    this.readable = Readable.Unknown;
    this.#littleTurns = this.wasWorthIt ? 0 : this.#littleTurns + 1;
  }

  get wasWorthIt(): boolean {
    return isBulk(this.#bytes);
  }

  /** The connection should get chunks again. */
  get isOver(): boolean {
    return this.#littleTurns >= LITTLE_TURNS;
  }

  /** What is there: the user's from here on. 0 at the end of the stream, or minus an error. */
  read(): Buffer | number {
    const { layout, group, nursery } = this.#port.context;
    const memory = spare ?? Buffer.allocUnsafeSlow(layout.largestChunkBytes);
    spare = null;
    const received = group.receiveNow(this.#port.ordinal, this.#id, memory);
    // Who keeps the Buffer shall keep little more than its bytes.
    const isFilled = received > 0.75 * memory.length;
    if (received > 0) {
      this.#bytes += received;
      nursery.follow(received);
      this.#port.readers.count(received);
      // Another look would most likely be in vain. In bulk it is not: what waits is read at once.
      const isAll = this.#wasOneRead && !isFilled;
      if (++this.#reads === READS_PER_TURN || isAll) this.endTurn();
    }
    if (isFilled) return memory.subarray(0, received);
    spare = memory;
    return received > 0 ? Buffer.from(memory.subarray(0, received)) : received;
  }
}

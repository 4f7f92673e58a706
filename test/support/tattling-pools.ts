/**
 * Loaded before each test: the engine's pools tell on who uses them wrongly. What is given back
 * twice, or was never taken, throws where it is given; what is written to after it was given back
 * throws when it is taken next; what is read then is found to be garbage by who compares it; and
 * what nobody gives back makes the process fail at its end.
 *
 * They do so in the process of the test itself, not in those that it starts.
 */
import { writeSync } from 'node:fs';
import { SendRequestPool, type SendRequest } from '#dist/port/send-request.js';
import { SendSlab } from '#dist/port/send-slab.js';
import { Port } from '#dist/port/port.js';
import type { CompletionRing } from '#dist/port/ring.js';

const GARBAGE = 0xdb;

/** The smallest block: so much of every block that is given back is filled, and looked at. */
const WATCHED_BYTES = 512;

/** A method of a class, and what runs around it. */
function around<This extends object, Arguments extends unknown[], Result>(
  of: { prototype: This },
  name: keyof This,
  make: (
    before: (this: This, ...values: Arguments) => Result,
  ) => (this: This, ...values: Arguments) => Result,
): void {
  const before = of.prototype[name] as (this: This, ...values: Arguments) => Result;
  Object.defineProperty(of.prototype, name, {
    configurable: true,
    writable: true,
    value: make(before),
  });
}

/** A map for each object, made when it is asked for. */
class Books<Owner extends object, Book> {
  readonly #books = new WeakMap<Owner, Book>();

  constructor(private readonly make: () => Book) {}

  of(owner: Owner): Book {
    let book = this.#books.get(owner);
    if (book === undefined) this.#books.set(owner, (book = this.make()));
    return book;
  }
}

// --- Blocks of the send slab ----------------------------------------------------------------------

const blocksTaken = new Books<SendSlab, Set<number>>(() => new Set());
const blocksFilled = new Books<SendSlab, Set<number>>(() => new Set());

around(
  SendSlab,
  'allocate',
  (allocate: (bytes: number) => number) =>
    function (this: SendSlab, bytes: number): number {
      const block = allocate.call(this, bytes);
      if (block < 0) return block;
      const taken = blocksTaken.of(this);
      if (taken.has(block)) throw new Error(`block ${block} of the send slab was taken twice`);
      taken.add(block);
      if (!blocksFilled.of(this).delete(block)) return block;
      const watched = this.bytes.subarray(block, block + WATCHED_BYTES);
      if (watched.some((byte) => byte !== GARBAGE)) {
        throw new Error(`block ${block} of the send slab was written to after it was given back`);
      }
      return block;
    },
);

around(
  SendSlab,
  'free',
  (free: (offset: number) => void) =>
    function (this: SendSlab, block: number): void {
      if (!blocksTaken.of(this).delete(block)) {
        throw new Error(`block ${block} of the send slab is given back, and nobody has it`);
      }
      this.bytes.fill(GARBAGE, block, block + WATCHED_BYTES);
      blocksFilled.of(this).add(block);
      free.call(this, block);
    },
);

// --- Requests -------------------------------------------------------------------------------------

const requestsGiven = new WeakSet<SendRequest>();
const requestsTaken = new Set<SendRequest>();

around(
  SendRequestPool,
  'take',
  (take: () => SendRequest) =>
    function (this: SendRequestPool): SendRequest {
      const request = take.call(this);
      requestsGiven.delete(request);
      requestsTaken.add(request);
      return request;
    },
);

around(
  SendRequestPool,
  'give',
  (give: (request: SendRequest) => void) =>
    function (this: SendRequestPool, request: SendRequest): void {
      if (requestsGiven.has(request)) throw new Error('a send request is given back twice');
      requestsGiven.add(request);
      requestsTaken.delete(request);
      give.call(this, request);
    },
);

// --- Chunks that were received --------------------------------------------------------------------

/** As the core completes a receive that has none (`kNoChunk`). */
const NO_CHUNK = -1;

interface Chunk {
  /** In the receive slab, in bytes. */
  readonly offset: number;
  readonly length: number;
}

const chunksTaken = new Books<Port, Map<number, Chunk>>(() => new Map());
const ports = new Set<Port>();

around(
  Port,
  'complete',
  (complete: (completion: CompletionRing) => void) =>
    function (this: Port, completion: CompletionRing): void {
      ports.add(this);
      const { opcode, result, arg0, arg1 } = completion;
      const isData = opcode === this.context.layout.opcodes.receive && result > 0;
      if (isData && (arg0 | 0) !== NO_CHUNK) {
        chunksTaken.of(this).set(arg0, { offset: arg1, length: result });
      }
      complete.call(this, completion);
    },
);

function giveChunkBack(port: Port, index: number): void {
  const taken = chunksTaken.of(port);
  const chunk = taken.get(index);
  if (chunk === undefined) throw new Error(`chunk ${index} is given back, and nobody has it`);
  taken.delete(index);
  const { buffer, offset } = port.native.receiveSlab;
  Buffer.from(buffer, offset + chunk.offset, chunk.length).fill(GARBAGE);
}

around(
  Port,
  'submit',
  (submit: (...words: Parameters<Port['submit']>) => void) =>
    function (this: Port, ...words: Parameters<Port['submit']>): void {
      const [opcode, , , arg0 = 0] = words;
      if (opcode === this.context.layout.opcodes.release) giveChunkBack(this, arg0);
      submit.apply(this, words);
    },
);

// --- At the end -----------------------------------------------------------------------------------

/** Blocks that no request has, and chunks: but for one, which native code has while it ends us. */
function whatIsLost(): string[] {
  const sending = new Set([...requestsTaken].map(({ block }) => block));
  return [...ports].flatMap((port) => {
    const blocks = [...blocksTaken.of(port.slab)].filter((block) => !sending.has(block));
    const chunks = [...chunksTaken.of(port).keys()].slice(port.size === 0 ? 0 : 1);
    return [
      ...blocks.map((block) => `block ${block} of the send slab`),
      ...chunks.map((chunk) => `chunk ${chunk}`),
    ];
  });
}

process.on('exit', () => {
  const lost = whatIsLost();
  if (lost.length === 0) return;
  process.exitCode = 1;
  writeSync(2, `nobody gave back: ${lost.join(', ')}\n`);
});

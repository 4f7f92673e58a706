/**
 * Keeps the collection of received Buffers cheap.
 *
 * V8 frees young Buffers with its nursery, in well under a millisecond, but collects that when its
 * megabyte or so of objects is full, and a Buffer of 64 KiB takes some hundred bytes of it. Before
 * that, 64 MiB of Buffers are enough to collect the whole heap (Node 24 and newer; 20 and 22 collect
 * the nursery after 32 MiB). In bulk that was 13 whole collections per GB. So bulk leaves garbage in
 * the nursery, as much as makes it full in time.
 */
import type { Binding } from './binding';

/** Bytes received per collection of the nursery: half of what makes V8 collect everything. */
const BYTES_PER_COLLECTION = 32 << 20;
/** Bytes between two looks at how large the nursery is, 2 µs each; and what is no bulk yet. */
const BYTES_PER_LOOK = 16 << 20;
/** Buffers of up to so many bytes bring enough garbage of their own. */
const SMALL_BYTES = 16 << 10;
/** Bytes after which garbage is left. */
const BYTES_PER_FILLING = 64 << 10;
const BYTES_PER_WORD = 8;
/**
 * Up to what size of the nursery, in bytes, it is worth it: with 32 MiB the garbage costs what the
 * collections of a small heap would; with 64, several times that.
 */
const LARGEST_NURSERY = 32 << 20;

/**
 * What the C library may keep of freed memory, in bytes: what is received between two collections,
 * and as much again while the freed half is swept. By default it hands all above 128 KiB back to the
 * system, which then has to clear each page anew: up to half of the time of bulk.
 */
const KEPT_BYTES = 2 * BYTES_PER_COLLECTION;

export class Nursery {
  /** What was left last. Where nobody held it, it would not have to be made. */
  garbage: unknown[] = [];
  readonly #keepFreedMemory: Binding['keepFreedMemory'];
  #isMemoryKept = false;
  #words = 0;
  #bytes = 0;
  #untilLook = BYTES_PER_LOOK;

  constructor(keepFreedMemory: Binding['keepFreedMemory']) {
    this.#keepFreedMemory = keepFreedMemory;
  }

  /** So many bytes were received into memory of their own, which may be garbage soon. */
  follow(bytes: number): void {
    if (bytes <= SMALL_BYTES) return;
    this.#bytes += bytes;
    if (this.#bytes < BYTES_PER_FILLING) return;
    this.#untilLook -= this.#bytes;
    this.#bytes = 0;
    if (this.#untilLook <= 0) this.#look();
    this.garbage = new Array(this.#words);
  }

  #look(): void {
    this.#untilLook = BYTES_PER_LOOK;
    if (!this.#isMemoryKept) this.#keepFreedMemory(KEPT_BYTES);
    this.#isMemoryKept = true;
    const spaces = process.getBuiltinModule('node:v8').getHeapSpaceStatistics();
    const young = spaces.find(({ space_name: name }) => name === 'new_space');
    if (young === undefined) return;
    const capacity = young.space_used_size + young.space_available_size;
    const fillings = BYTES_PER_COLLECTION / BYTES_PER_FILLING;
    const words = Math.ceil(capacity / BYTES_PER_WORD / fillings);
    this.#words = capacity <= LARGEST_NURSERY ? words : 0;
  }
}

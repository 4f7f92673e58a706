/**
 * Streams of bytes that both sides know without being told: each is a window that moves over one
 * random pool. Comparing with it finds the first wrong byte, not only that there is one, and a
 * piece of another connection's stream never fits, because every stream starts elsewhere.
 */
import { Random } from './random';

/** A prime, so that no power of two of lost or repeated bytes goes unnoticed. */
const PERIOD = 1_048_583;

function makePool(): Buffer {
  const random = new Random(1);
  const pool = Buffer.allocUnsafe(2 * PERIOD);
  for (let at = 0; at < PERIOD; at++) pool[at] = random.next() * 256;
  pool.copy(pool, PERIOD, 0, PERIOD);
  return pool;
}

const pool = makePool();

/** The longest piece that `bytesAt` gives. */
export const LONGEST_PIECE = PERIOD;

/** Bytes `offset` to `offset + length` of the stream that starts at `start`; not to be changed. */
export function bytesAt(start: number, offset: number, length: number): Buffer {
  const at = (start + offset) % PERIOD;
  return pool.subarray(at, at + length);
}

/** Where `chunk` differs from the stream at `offset`; -1 where it does not. */
export function firstWrongByte(start: number, offset: number, chunk: Uint8Array): number {
  for (let done = 0; done < chunk.length; done += PERIOD) {
    const piece = chunk.subarray(done, done + PERIOD);
    const expected = bytesAt(start, offset + done, piece.length);
    if (Buffer.compare(piece, expected) === 0) continue;
    return offset + done + piece.findIndex((byte, at) => byte !== expected[at]);
  }
  return -1;
}

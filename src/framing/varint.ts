/**
 * Unsigned integers of a variable number of bytes. `base128` is the varint of Protocol Buffers: seven
 * bits a byte, the lowest first, and the highest bit says that another byte follows. `quic` is that of
 * QUIC: the two highest bits of the first byte say whether it has 1, 2, 4 or 8 bytes, in network order.
 */
import { badLength } from './errors';

export const varintNames = ['base128', 'quic'] as const;
export type VarintName = (typeof varintNames)[number];

/** What was read: 0 bytes where the integer is not whole. One object for all reads of a decoder. */
export interface ReadVarint {
  bytes: number;
  /** Not exact beyond 2^53, where `exact` has it. */
  value: number;
  exact: bigint | null;
}

export interface Varint {
  readonly mostBytes: number;
  /** Bytes that a value takes, 0 to 2^53 - 1. */
  bytes(value: number): number;
  write(target: Buffer, value: number, at: number): void;
  read(source: Buffer, at: number, end: number, into: ReadVarint): void;
}

/** Those of 64 bits. */
const BASE128_MOST_BYTES = 10;

function base128Exact(source: Buffer, at: number, bytes: number): bigint {
  let value = 0n;
  for (let index = bytes - 1; index >= 0; index--) {
    value = (value << 7n) | BigInt(source[at + index]! & 0x7f);
  }
  return value;
}

const base128: Varint = {
  mostBytes: BASE128_MOST_BYTES,

  bytes(value) {
    let bytes = 1;
    for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes++;
    return bytes;
  },

  write(target, value, at) {
    // Bits are of 32 at most, so what is longer is divided.
    for (; value >= 0x80; value = Math.floor(value / 0x80)) target[at++] = (value % 0x80) | 0x80;
    target[at] = value;
  },

  read(source, at, end, into) {
    into.bytes = 0;
    into.exact = null;
    let value = 0;
    let weight = 1;
    const last = Math.min(end, at + BASE128_MOST_BYTES);
    for (let index = at; index < last; index++) {
      const byte = source[index]!;
      value += (byte & 0x7f) * weight;
      weight *= 0x80;
      if (byte >= 0x80) continue;
      into.bytes = index + 1 - at;
      into.value = value;
      if (!Number.isSafeInteger(value)) into.exact = base128Exact(source, at, into.bytes);
      return;
    }
    if (last - at === BASE128_MOST_BYTES) {
      throw badLength(`A length has more than the ${BASE128_MOST_BYTES} bytes of a varint`);
    }
  },
};

const quicBytes = [1, 2, 4, 8] as const;
const quicBits = [6, 14, 30, 62] as const;

const quic: Varint = {
  mostBytes: 8,

  bytes(value) {
    return quicBytes[quicBits.findIndex((bits) => value < 2 ** bits)]!;
  },

  write(target, value, at) {
    const bytes = quic.bytes(value);
    const kind = quicBytes.indexOf(bytes as 1);
    if (bytes === 8) target.writeBigUInt64BE(BigInt(value), at);
    else target.writeUIntBE(value, at, bytes);
    target[at]! |= kind << 6;
  },

  read(source, at, end, into) {
    into.bytes = 0;
    into.exact = null;
    const first = source[at]!;
    const bytes = quicBytes[(first >> 6) as 0];
    if (end - at < bytes) return;
    into.bytes = bytes;
    let value = first & 0x3f;
    for (let index = 1; index < bytes; index++) value = value * 256 + source[at + index]!;
    into.value = value;
    if (Number.isSafeInteger(value)) return;
    into.exact = source.readBigUInt64BE(at) & (2n ** 62n - 1n);
  },
};

export const varints: Readonly<Record<VarintName, Varint>> = { base128, quic };

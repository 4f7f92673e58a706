/** The numbers that a header may hold: how long each is, what fits, how it is read and written. */

export const endiannesses = ['big', 'little'] as const;
export type Endianness = (typeof endiannesses)[number];

type Read<Value> = (this: Buffer, at: number, bytes: number) => Value;
type Write<Value> = (this: Buffer, value: Value, at: number, bytes: number) => number;

export interface NumberType<Value extends number | bigint = number | bigint> {
  readonly bytes: number;
  /** Null for floating-point numbers, which may be any. */
  readonly range: readonly [least: Value, most: Value] | null;
  readonly read: Readonly<Record<Endianness, Read<Value>>>;
  readonly write: Readonly<Record<Endianness, Write<Value>>>;
}

const b = Buffer.prototype as Buffer;

function numberType<Value extends number | bigint>(
  bytes: number,
  range: readonly [Value, Value] | null,
  [readBig, readLittle]: readonly [Read<Value>, Read<Value>],
  [writeBig, writeLittle]: readonly [Write<Value>, Write<Value>],
): NumberType<Value> {
  return {
    bytes,
    range,
    read: { big: readBig, little: readLittle },
    write: { big: writeBig, little: writeLittle },
  };
}

const unsigned = (bits: number): readonly [number, number] => [0, 2 ** bits - 1];
const signed = (bits: number): readonly [number, number] => [
  -(2 ** (bits - 1)),
  2 ** (bits - 1) - 1,
];

/** Buffer's methods; those without a width in their name take it as the last argument. */
export const numberTypes = {
  uint8: numberType(1, unsigned(8), [b.readUInt8, b.readUInt8], [b.writeUInt8, b.writeUInt8]),
  uint16: numberType(
    2,
    unsigned(16),
    [b.readUInt16BE, b.readUInt16LE],
    [b.writeUInt16BE, b.writeUInt16LE],
  ),
  uint24: numberType(3, unsigned(24), [b.readUIntBE, b.readUIntLE], [b.writeUIntBE, b.writeUIntLE]),
  uint32: numberType(
    4,
    unsigned(32),
    [b.readUInt32BE, b.readUInt32LE],
    [b.writeUInt32BE, b.writeUInt32LE],
  ),
  uint48: numberType(6, unsigned(48), [b.readUIntBE, b.readUIntLE], [b.writeUIntBE, b.writeUIntLE]),
  uint64: numberType<bigint>(
    8,
    [0n, 2n ** 64n - 1n],
    [b.readBigUInt64BE, b.readBigUInt64LE],
    [b.writeBigUInt64BE, b.writeBigUInt64LE],
  ),
  int8: numberType(1, signed(8), [b.readInt8, b.readInt8], [b.writeInt8, b.writeInt8]),
  int16: numberType(
    2,
    signed(16),
    [b.readInt16BE, b.readInt16LE],
    [b.writeInt16BE, b.writeInt16LE],
  ),
  int24: numberType(3, signed(24), [b.readIntBE, b.readIntLE], [b.writeIntBE, b.writeIntLE]),
  int32: numberType(
    4,
    signed(32),
    [b.readInt32BE, b.readInt32LE],
    [b.writeInt32BE, b.writeInt32LE],
  ),
  int48: numberType(6, signed(48), [b.readIntBE, b.readIntLE], [b.writeIntBE, b.writeIntLE]),
  int64: numberType<bigint>(
    8,
    [-(2n ** 63n), 2n ** 63n - 1n],
    [b.readBigInt64BE, b.readBigInt64LE],
    [b.writeBigInt64BE, b.writeBigInt64LE],
  ),
  float: numberType<number>(
    4,
    null,
    [b.readFloatBE, b.readFloatLE],
    [b.writeFloatBE, b.writeFloatLE],
  ),
  double: numberType<number>(
    8,
    null,
    [b.readDoubleBE, b.readDoubleLE],
    [b.writeDoubleBE, b.writeDoubleLE],
  ),
} as const;

export type NumberTypeName = keyof typeof numberTypes;

/** Frames that begin with their length, among other fields or alone. */
import { anyCount, checkInteger } from '../check-integer';
import { invalidValue } from '../invalid-value';
import { invalidType } from '../node-argument-errors';
import { bytesOf, checkFraming, optionsOf } from './codec';
import type { Codec, FrameLimits, FramingOptions, Payload } from './codec';
import { badLength, tooLarge } from './errors';
import { fieldsAt } from './fields';
import type { Field, Fields, FieldValue, SentFieldValue } from './fields';
import { endiannesses, numberTypes } from './number-types';
import type { Endianness, NumberType } from './number-types';
import { PrefixedCodec } from './prefixed-codec';
import type { HeaderFormat } from './prefixed-codec';
import type { HeaderReader } from './prefixed-decoder';

export type LengthBytes = 1 | 2 | 3 | 4 | 6 | 8;

/**
 * What the length counts: the payload alone, what follows the length field (the fields after it and
 * the payload), or the whole frame from its first byte.
 */
export type LengthCounts = (typeof allCounts)[number];
const allCounts = ['payload', 'rest', 'frame'] as const;

export interface LengthPrefixedOptions<
  Before extends Fields = Fields,
  After extends Fields = Fields,
> extends FramingOptions {
  /** Bytes of the length field. Default 4. */
  lengthBytes?: LengthBytes | undefined;
  /** Of the length and of all fields. Default `'big'`, the order of most protocols. */
  endianness?: Endianness | undefined;
  /** The fields before the length; their bytes together are the offset of the length. Default none. */
  before?: Before | undefined;
  /** The fields between the length and the payload. Default none. */
  after?: After | undefined;
  /** Default `'payload'`. */
  lengthCounts?: LengthCounts | undefined;
  /**
   * Added to the length that is read to have what `lengthCounts` says, an integer; default 0. For
   * protocols that count a byte more, or one less.
   */
  lengthAdjustment?: number | undefined;
}

type Names<Before, After> = keyof Before | keyof After;

/** What a decoder gives: a Buffer, or where the header has fields an object with these and `payload`. */
export type LengthPrefixedFrame<Before extends Fields, After extends Fields> = [
  Names<Before, After>,
] extends [never]
  ? Buffer
  : { -readonly [Name in keyof Before]: FieldValue<Before[Name]> } & {
      -readonly [Name in keyof After]: FieldValue<After[Name]>;
    } & { payload: Buffer };

/** What is sent: the payload, or where the header has fields an object with all of these. */
export type LengthPrefixedMessage<Before extends Fields, After extends Fields> = [
  Names<Before, After>,
] extends [never]
  ? Payload
  : { readonly [Name in keyof Before]: SentFieldValue<Before[Name]> } & {
      readonly [Name in keyof After]: SentFieldValue<After[Name]>;
    } & {
      /** Default empty. */
      readonly payload?: Payload | undefined;
    };

type NoFields = Record<never, never>;
type AnyFrame = Record<string, unknown>;

const noBytes = new Uint8Array(0);

interface Layout {
  readonly lengthAt: number;
  readonly length: NumberType;
  readonly endianness: Endianness;
  readonly headerBytes: number;
  readonly fields: readonly Field[];
  /** The length that is read less the bytes of payload. */
  readonly surplus: number;
}

const sum = (fields: readonly Field[]): number =>
  fields.reduce((bytes, field) => bytes + field.bytes, 0);

const isOneOf = <Value>(values: readonly Value[], value: unknown): value is Value =>
  values.includes(value as Value);

const lengthTypes = new Map(
  (['uint8', 'uint16', 'uint24', 'uint32', 'uint48', 'uint64'] as const).map((name) => {
    const type = numberTypes[name] as NumberType;
    return [type.bytes, type];
  }),
);

function checkTwice(fields: readonly Field[]): void {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) throw invalidValue('options.after', name, 'a field stands there twice');
    names.add(name);
  }
}

function layoutOf(options: LengthPrefixedOptions): Layout {
  const { lengthBytes = 4, endianness = 'big', lengthCounts = 'payload' } = options;
  const { lengthAdjustment = 0 } = options;
  const length = lengthTypes.get(lengthBytes);
  if (length === undefined) {
    const all = [...lengthTypes.keys()].join(', ');
    throw invalidValue('options.lengthBytes', lengthBytes, `it is none of ${all}`);
  }
  if (!isOneOf(endiannesses, endianness)) {
    throw invalidValue('options.endianness', endianness, "it is neither 'big' nor 'little'");
  }
  if (!isOneOf(allCounts, lengthCounts)) {
    throw invalidValue('options.lengthCounts', lengthCounts, `it is none of ${allCounts.join()}`);
  }
  checkInteger('options.lengthAdjustment', lengthAdjustment, [-anyCount, anyCount]);
  const before = fieldsAt('options.before', options.before, 0, endianness);
  const lengthAt = sum(before);
  const after = fieldsAt('options.after', options.after, lengthAt + length.bytes, endianness);
  const fields = [...before, ...after];
  checkTwice(fields);
  const headerBytes = lengthAt + length.bytes + sum(after);
  const counted = { payload: 0, rest: sum(after), frame: headerBytes }[lengthCounts];
  const surplus = counted - lengthAdjustment;
  return { lengthAt, length, endianness, headerBytes, fields, surplus };
}

/** The longest payload whose length can be written. */
function longestPayload({ length, surplus }: Layout): number {
  const longest = Math.min(Number(length.range![1]) - surplus, anyCount);
  if (longest >= 0 && -surplus <= longest) return longest;
  throw invalidValue('options.lengthAdjustment', -surplus, 'no length is left for a payload');
}

class LengthReader<Frame> implements HeaderReader<Frame> {
  readonly mostBytes: number;
  readonly headerBytes: number;
  payloadBytes = 0;
  readonly #layout: Layout;
  readonly #maxPayloadBytes: number;
  readonly #read: (this: Buffer, at: number, bytes: number) => number | bigint;

  constructor(layout: Layout, { maxPayloadBytes }: FrameLimits) {
    this.#layout = layout;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#read = layout.length.read[layout.endianness];
    this.headerBytes = layout.headerBytes;
    this.mostBytes = layout.headerBytes;
  }

  read(bytes: Buffer, at: number, end: number): boolean {
    if (end - at < this.headerBytes) return false;
    const { lengthAt, length, surplus } = this.#layout;
    const announced = this.#read.call(bytes, at + lengthAt, length.bytes);
    // A bigint beyond 2^53 is not exact as a number, but then it is too large in any case.
    const payloadBytes = Number(announced) - surplus;
    if (!(payloadBytes <= this.#maxPayloadBytes)) {
      const exact = typeof announced === 'bigint' ? announced - BigInt(surplus) : payloadBytes;
      throw tooLarge(exact > anyCount ? exact : Number(exact), this.#maxPayloadBytes);
    }
    if (payloadBytes < 0) {
      const text = `A length of ${announced} is too small for what it counts`;
      throw badLength(text, announced);
    }
    this.payloadBytes = payloadBytes;
    return true;
  }

  begin(_bytes: Buffer, _at: number): Frame {
    // It is the payload, and there is none yet.
    return undefined as Frame;
  }

  complete(_begun: Frame, payload: Buffer): Frame {
    return payload as Frame;
  }
}

class FieldsReader<Frame> extends LengthReader<Frame> {
  readonly #fields: readonly Field[];
  /** Copied for each frame, so that all have their members in one order. */
  readonly #blank: AnyFrame;

  constructor(layout: Layout, limits: FrameLimits) {
    super(layout, limits);
    this.#fields = layout.fields;
    const members = this.#fields.map(({ name }) => [name, undefined]);
    this.#blank = Object.fromEntries([...members, ['payload', undefined]]) as AnyFrame;
  }

  override begin(bytes: Buffer, at: number): Frame {
    const frame = { ...this.#blank };
    for (const field of this.#fields) frame[field.name] = field.read(bytes, at);
    return frame as Frame;
  }

  override complete(begun: Frame, payload: Buffer): Frame {
    (begun as { payload: Buffer }).payload = payload;
    return begun;
  }
}

function payloadIn({ payload }: AnyFrame): Uint8Array {
  return payload === undefined ? noBytes : bytesOf(payload, 'frame.payload');
}

function lengthFormat<Received, Sent>(
  layout: Layout,
  limits: FrameLimits,
): HeaderFormat<Received, Sent> {
  const { lengthAt, length, endianness, headerBytes, fields, surplus } = layout;
  const write = length.write[endianness] as (...args: unknown[]) => number;
  const isBigInt = typeof length.range![0] === 'bigint';
  const Reader = fields.length === 0 ? LengthReader : FieldsReader;
  const membersOf = (frame: Sent): AnyFrame => {
    if (typeof frame === 'object' && frame !== null) return frame as AnyFrame;
    throw invalidType('frame', 'object', frame);
  };
  return {
    reader: () => new Reader<Received>(layout, limits),
    payloadOf: (frame) =>
      fields.length === 0 ? bytesOf(frame, 'frame') : payloadIn(membersOf(frame)),
    headerBytes: () => headerBytes,
    write: (target, frame, payloadBytes) => {
      const value = payloadBytes + surplus;
      if (value < 0) throw badLength(`A payload of ${payloadBytes} bytes has no length here`);
      write.call(target, isBigInt ? BigInt(value) : value, lengthAt, length.bytes);
      for (const field of fields) field.write(target, 0, (frame as AnyFrame)[field.name]);
    },
  };
}

/**
 * Frames with a header that has the length, and fields of your choice before and after it.
 *
 * ```js
 * const codec = lengthPrefixed({ after: { kind: 'uint8' } });
 * codec.encode({ kind: 1, payload: 'abc' }); // 00 00 00 03 01 61 62 63
 * ```
 *
 * Without fields a frame is its payload. With fields it is an object of these and `payload`.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` or `ERR_INVALID_ARG_VALUE` for bad options.
 */
export function lengthPrefixed(
  options?: LengthPrefixedOptions<never, never>,
): Codec<Buffer, Payload>;
export function lengthPrefixed<
  const Before extends Fields = NoFields,
  const After extends Fields = NoFields,
>(
  options: LengthPrefixedOptions<Before, After>,
): Codec<LengthPrefixedFrame<Before, After>, LengthPrefixedMessage<Before, After>>;
export function lengthPrefixed(options?: LengthPrefixedOptions): Codec<unknown, unknown> {
  const given = optionsOf(options);
  const layout = layoutOf(given);
  const limits = checkFraming(given, longestPayload(layout));
  return new PrefixedCodec(lengthFormat(layout, limits), limits);
}

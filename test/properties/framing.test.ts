/** That frames come out as they went in, however the bytes are cut, and what arbitrary bytes do. */
import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert';
import { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import fc from 'fast-check';
import t from 'tap';
import {
  delimited,
  fixedSize,
  framed,
  FramingError,
  lengthPrefixed,
  varintPrefixed,
} from 'iocp-net/framing';
import type { Codec, Decoder, Fields, FieldType } from 'iocp-net/framing';
import { holds } from './check';

type AnyCodec = Codec<unknown, never>;

interface Sample {
  /** How it was made, for the report. */
  options: unknown;
  codec: AnyCodec;
  frames: unknown[];
}

const LIMIT = 100_000;

const bytes = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Buffer> =>
  fc.uint8Array(constraints).map((array) => Buffer.from(array));

const someBytes = Buffer.from(Array.from({ length: LIMIT }, (_, at) => (at * 31) & 0xff));

/** About the bounds at which payloads go another way, and small ones. */
const payload = fc.oneof(
  { weight: 8, arbitrary: bytes({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(127, 128, 255, 256, 2047, 4095, 4096, 16_383, 16_384, 65_535, 65_537, LIMIT)
      .map((length) => someBytes.subarray(0, length)),
  },
);
const shortPayload = bytes({ maxLength: 40 });

const integers = { uint8: 8, uint16: 16, uint24: 24, uint32: 32, uint48: 48 } as const;

function valueOf(type: FieldType): fc.Arbitrary<unknown> {
  if (typeof type === 'object') return bytes({ minLength: type.bytes, maxLength: type.bytes });
  if (type === 'float') return fc.float();
  if (type === 'double') return fc.double();
  if (type === 'uint64') return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  if (type === 'int64') return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const isSigned = type.startsWith('int');
  const bits = integers[(isSigned ? `u${type}` : type) as keyof typeof integers];
  return isSigned
    ? fc.maxSafeInteger().map((value) => (value % 2 ** (bits - 1)) + 0)
    : fc.maxSafeNat().map((value) => value % 2 ** bits);
}

const fieldType = fc.oneof(
  fc.constantFrom<FieldType>(
    ...(['uint8', 'uint16', 'uint24', 'uint32', 'uint48', 'uint64', 'float', 'double'] as const),
    ...(['int8', 'int16', 'int24', 'int32', 'int48', 'int64'] as const),
  ),
  fc.integer({ min: 1, max: 9 }).map((length): FieldType => ({ bytes: length })),
);
const fields = (names: string): fc.Arbitrary<Fields> =>
  fc
    .array(fieldType, { maxLength: 3 })
    .map((types) => Object.fromEntries(types.map((type, at) => [`${names}${at}`, type])));

const copy = fc.boolean();

const lengthSample: fc.Arbitrary<Sample> = fc
  .record({
    lengthBytes: fc.constantFrom(1, 2, 3, 4, 6, 8),
    endianness: fc.constantFrom('big', 'little'),
    lengthCounts: fc.constantFrom('payload', 'rest', 'frame'),
    lengthAdjustment: fc.integer({ min: -9, max: 0 }),
    before: fields('b'),
    after: fields('a'),
    copy,
  })
  .chain((options) => {
    const all = { ...options.before, ...options.after };
    const isPlain = Object.keys(all).length === 0;
    const body = options.lengthBytes <= 2 ? shortPayload : payload;
    const members = Object.entries(all).map(([name, type]) => [name, valueOf(type)] as const);
    const frame = isPlain
      ? body
      : fc.record({ ...Object.fromEntries(members), payload: body }, { noNullPrototype: true });
    return fc.array(frame as fc.Arbitrary<unknown>, { maxLength: 8 }).map((frames) => ({
      options,
      frames,
      codec: lengthPrefixed({ ...options, maxPayloadBytes: LIMIT }),
    }));
  });

const varintSample: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.record({ varint: fc.constantFrom('base128', 'quic'), copy }),
    fc.array(payload, { maxLength: 8 }),
  )
  .map(([options, frames]) => ({
    options,
    frames,
    codec: varintPrefixed({ ...options, maxPayloadBytes: LIMIT }),
  }));

const fixedSample: fc.Arbitrary<Sample> = fc
  .tuple(fc.constantFrom(1, 2, 7, 64, 3000, 70_000), copy)
  .chain(([length, copies]) =>
    fc.array(fc.nat(255), { maxLength: length > 1000 ? 2 : 12 }).map((fills) => ({
      options: length,
      frames: fills.map((fill) => Buffer.alloc(length, fill)),
      codec: fixedSize({ bytes: length, copy: copies }),
    })),
  );

/** Of few values, so that payloads hold parts of the delimiter. */
const letters = (constraints: fc.ArrayConstraints): fc.Arbitrary<Buffer> =>
  fc.array(fc.constantFrom(97, 98), constraints).map((array) => Buffer.from(array));

/** Whether the frame ends where it should: else it cannot be sent, which is a test of its own. */
const isSendable = (frame: Buffer, delimiter: Buffer): boolean =>
  Buffer.concat([frame, delimiter]).indexOf(delimiter) === frame.length;

const delimitedSample: fc.Arbitrary<Sample> = fc
  .tuple(letters({ minLength: 1, maxLength: 4 }), copy)
  .chain(([delimiter, copies]) => {
    const frame = fc.oneof(letters({ maxLength: 9 }), payload);
    return fc.array(frame, { maxLength: 12 }).map((frames) => ({
      options: delimiter.toString(),
      frames: frames.filter((each) => isSendable(each, delimiter)),
      codec: delimited({ delimiter, copy: copies, maxPayloadBytes: LIMIT }),
    }));
  });

/** How long the pieces are in which a stream arrives, in turn. */
const cuts = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.constantFrom(0, 1, 5, 1024, 2048, 16_384, 65_536), { minLength: 1, maxLength: 9 }),
);

/** Each piece in memory of its own, which is spoilt afterwards where the decoder copies. */
function* pieces(stream: Buffer, lengths: readonly number[]): Generator<Buffer> {
  const usable = lengths.some((length) => length > 0) ? lengths : [1];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const length = usable[turn % usable.length]!;
    yield Buffer.from(stream.subarray(at, at + length));
    at += length;
  }
}

const encodeAll = ({ codec, frames }: Sample): Buffer =>
  Buffer.concat((frames as never[]).map((frame) => codec.encode(frame)));

function decodeAll(sample: Sample, lengths: readonly number[]): unknown[] {
  const decoder = sample.codec.decoder();
  const decoded: unknown[] = [];
  for (const piece of pieces(encodeAll(sample), lengths)) {
    decoder.push(piece, (frame) => void decoded.push(frame));
  }
  decoder.end();
  strictEqual(decoder.bufferedBytes, 0);
  return decoded;
}

const samples = {
  'length prefixes': lengthSample,
  varints: varintSample,
  'frames of one size': fixedSample,
  delimiters: delimitedSample,
};

for (const [name, sample] of Object.entries(samples)) {
  holds(t, `${name}: what was encoded is decoded`, fc.tuple(sample, cuts), ([made, lengths]) => {
    deepStrictEqual(decodeAll(made, lengths), made.frames);
    const parts = (made.frames as never[]).flatMap((frame) => made.codec.encodeParts(frame));
    deepStrictEqual(Buffer.concat(parts), encodeAll(made));
  });

  holds(t, `${name}: an end within a frame is told`, fc.tuple(sample, cuts, fc.nat()), (input) => {
    const [made, lengths, cut] = input;
    const stream = encodeAll(made);
    if (stream.length === 0) return;
    const decoder = made.codec.decoder();
    const decoded: unknown[] = [];
    for (const piece of pieces(stream.subarray(0, cut % stream.length), lengths)) {
      decoded.push(...decoder.push(piece));
    }
    deepStrictEqual(decoded, made.frames.slice(0, decoded.length));
    if (decoder.bufferedBytes === 0) return decoder.end();
    ok(decoded.length < made.frames.length);
    throws(() => decoder.end(), { code: 'ERR_FRAME_TRUNCATED', received: decoder.bufferedBytes });
  });
}

holds(
  t,
  'a decoder that copies keeps nothing of what it was given',
  fc.tuple(fc.constantFrom('length', 'varint', 'line'), fc.array(payload, { maxLength: 6 }), cuts),
  ([kind, frames, lengths]) => {
    const options = { copy: true, maxPayloadBytes: LIMIT };
    const codec =
      kind === 'length'
        ? lengthPrefixed(options)
        : kind === 'varint'
          ? varintPrefixed(options)
          : delimited(options);
    const sent = frames.filter((frame) => kind !== 'line' || !frame.includes('\n'));
    const decoder = codec.decoder();
    const decoded: Buffer[] = [];
    for (const piece of pieces(Buffer.concat(sent.map((each) => codec.encode(each))), lengths)) {
      decoder.push(piece, (frame) => void decoded.push(frame));
      piece.fill(0xee);
    }
    deepStrictEqual(decoded, sent);
  },
);

const smallLimit = 64;
const garbageCodecs: Record<string, () => Decoder<unknown>> = {
  uint8: () => lengthPrefixed({ lengthBytes: 1, maxPayloadBytes: smallLimit }).decoder(),
  uint32: () => lengthPrefixed({ lengthCounts: 'frame', maxPayloadBytes: smallLimit }).decoder(),
  uint64: () =>
    lengthPrefixed({
      lengthBytes: 8,
      endianness: 'little',
      after: { kind: 'uint64' },
      maxPayloadBytes: smallLimit,
    }).decoder(),
  base128: () => varintPrefixed({ maxPayloadBytes: smallLimit }).decoder(),
  quic: () => varintPrefixed({ varint: 'quic', maxPayloadBytes: smallLimit }).decoder(),
  delimiter: () => delimited({ delimiter: '\r\n', maxPayloadBytes: smallLimit }).decoder(),
};
const garbageErrors = new Set(['ERR_FRAME_TOO_LARGE', 'ERR_FRAME_LENGTH']);
/** Small values often, so that some of the lengths are good. */
const garbage = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 2, 10, 13, 64, 65, 127, 128, 255), fc.nat(255)), {
    maxLength: 200,
  })
  .map((array) => Buffer.from(array));

holds(
  t,
  'arbitrary bytes make frames or documented errors, and hold no more than the limit',
  fc.tuple(fc.constantFrom(...Object.keys(garbageCodecs)), garbage, cuts),
  ([name, stream, lengths]) => {
    const decoder = garbageCodecs[name]!();
    let error: unknown;
    for (const piece of pieces(stream, lengths)) {
      try {
        decoder.push(piece, (frame) => {
          const { payload: body } = frame as { payload?: Buffer };
          ok((body ?? (frame as Buffer)).length <= smallLimit);
        });
        strictEqual(error, undefined, 'a decoder that has failed goes on');
      } catch (thrown) {
        ok(thrown instanceof FramingError && garbageErrors.has(thrown.code), String(thrown));
        error ??= thrown;
        strictEqual(thrown, error);
        strictEqual(decoder.bufferedBytes, 0);
      }
      ok(decoder.bufferedBytes <= smallLimit + 16);
    }
  },
);

holds(
  t,
  'a payload that would end early is not sent',
  fc.tuple(letters({ minLength: 1, maxLength: 4 }), letters({ maxLength: 9 })),
  ([delimiter, frame]) => {
    const codec = delimited({ delimiter });
    if (isSendable(frame, delimiter))
      deepStrictEqual(codec.decoder().push(codec.encode(frame)), [frame]);
    else throws(() => codec.encode(frame), { code: 'ERR_FRAME_DELIMITER' });
  },
);

/** Gives pieces when it is asked, and keeps what is written. */
class Loop extends Duplex {
  readonly #pieces: Iterator<Buffer>;
  readonly written: Buffer[] = [];

  constructor(given: Iterable<Buffer>) {
    super({ highWaterMark: 64 });
    this.#pieces = given[Symbol.iterator]();
  }

  override _read(): void {
    const next = this.#pieces.next();
    setImmediate(() => this.push(next.done === true ? null : next.value));
  }

  override _write(chunk: Buffer, _encoding: unknown, callback: () => void): void {
    this.written.push(chunk);
    setImmediate(callback);
  }
}

holds(
  t,
  'over a stream, in both directions',
  fc.tuple(fc.oneof(varintSample, lengthSample), cuts, fc.boolean()),
  async ([sample, lengths, direct]) => {
    const stream = encodeAll(sample);
    const usable = stream.length > 5000 ? [16_384] : lengths.filter((length) => length > 0);
    const below = new Loop(pieces(stream, usable));
    const connection = framed(below, sample.codec);
    for (const frame of sample.frames as never[]) {
      if (direct) connection.send(frame);
      else connection.write(frame);
    }
    connection.end();
    const received: unknown[] = [];
    const over = finished(connection);
    for await (const frame of connection) received.push(frame);
    await over;
    deepStrictEqual(received, sample.frames);
    deepStrictEqual(Buffer.concat(below.written), stream);
  },
);

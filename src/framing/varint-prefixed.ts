/** Frames that begin with their length as a varint. */
import { invalidValue } from '../invalid-value';
import { bytesOf, checkFraming, optionsOf } from './codec';
import type { Codec, FrameLimits, FramingOptions, Payload } from './codec';
import { tooLarge } from './errors';
import { PrefixedCodec } from './prefixed-codec';
import type { HeaderReader } from './prefixed-decoder';
import { varintNames, varints } from './varint';
import type { ReadVarint, Varint, VarintName } from './varint';

export interface VarintPrefixedOptions extends FramingOptions {
  /**
   * `'base128'`: as Protocol Buffers and libp2p have it, up to 10 bytes, the default. `'quic'`: as QUIC
   * has it, up to 8 bytes.
   */
  varint?: VarintName | undefined;
}

class VarintReader implements HeaderReader<Buffer> {
  readonly mostBytes: number;
  headerBytes = 0;
  payloadBytes = 0;
  readonly #varint: Varint;
  readonly #maxPayloadBytes: number;
  readonly #length: ReadVarint = { bytes: 0, value: 0, exact: null };

  constructor(varint: Varint, { maxPayloadBytes }: FrameLimits) {
    this.#varint = varint;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.mostBytes = varint.mostBytes;
  }

  read(bytes: Buffer, at: number, end: number): boolean {
    const length = this.#length;
    this.#varint.read(bytes, at, end, length);
    if (length.bytes === 0) return false;
    if (length.value > this.#maxPayloadBytes) {
      throw tooLarge(length.exact ?? length.value, this.#maxPayloadBytes);
    }
    this.headerBytes = length.bytes;
    this.payloadBytes = length.value;
    return true;
  }

  begin(_bytes: Buffer, _at: number): Buffer {
    return nothing;
  }

  complete(_begun: Buffer, payload: Buffer): Buffer {
    return payload;
  }
}

const nothing = Buffer.alloc(0);

/**
 * Frames with their length before them as a varint. A frame is its payload.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` or `ERR_INVALID_ARG_VALUE` for bad options.
 */
export function varintPrefixed(options?: VarintPrefixedOptions): Codec<Buffer, Payload> {
  const given = optionsOf(options);
  const { varint: name = 'base128' } = given;
  if (!varintNames.includes(name)) {
    throw invalidValue('options.varint', name, `it is none of ${varintNames.join(', ')}`);
  }
  const varint = varints[name];
  const limits = checkFraming(given);
  return new PrefixedCodec<Buffer, Payload>(
    {
      reader: () => new VarintReader(varint, limits),
      payloadOf: (frame) => bytesOf(frame, 'frame'),
      headerBytes: (payloadBytes) => varint.bytes(payloadBytes),
      write: (target, _frame, payloadBytes) => varint.write(target, payloadBytes, 0),
    },
    limits,
  );
}

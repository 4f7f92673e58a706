/** Frames that end with a delimiter, such as lines. */
import { invalidValue } from '../invalid-value';
import { LARGE_PAYLOAD_BYTES, bufferOf, bytesOf, checkFraming, optionsOf } from './codec';
import type { Codec, Decoder, FrameLimits, FramingOptions, Payload } from './codec';
import { DelimitedDecoder } from './delimited-decoder';
import { FramingError, tooLarge } from './errors';

export interface DelimitedOptions extends FramingOptions {
  /** Any bytes, or a text as UTF-8, of at least one byte. Default `'\n'`. */
  delimiter?: Payload | undefined;
}

class DelimitedCodec implements Codec<Buffer, Payload> {
  readonly #delimiter: Buffer;
  readonly #limits: FrameLimits;

  constructor(delimiter: Buffer, limits: FrameLimits) {
    this.#delimiter = delimiter;
    this.#limits = limits;
  }

  encode(frame: Payload): Buffer {
    return Buffer.concat([this.#payloadOf(frame), this.#delimiter]);
  }

  encodeParts(frame: Payload): Uint8Array[] {
    const payload = this.#payloadOf(frame);
    const parts = [payload, this.#delimiter];
    return payload.length < LARGE_PAYLOAD_BYTES ? [Buffer.concat(parts)] : parts;
  }

  decoder(): Decoder<Buffer> {
    return new DelimitedDecoder(this.#delimiter, this.#limits);
  }

  #payloadOf(frame: Payload): Uint8Array {
    const payload = bytesOf(frame, 'frame');
    const { maxPayloadBytes } = this.#limits;
    if (payload.length > maxPayloadBytes) throw tooLarge(payload.length, maxPayloadBytes);
    this.#checkPayload(payload);
    return payload;
  }

  /** A delimiter may also begin within the payload and end within the delimiter that follows. */
  #checkPayload(payload: Uint8Array): void {
    const delimiter = this.#delimiter;
    const bytes = bufferOf(payload);
    if (!bytes.includes(delimiter)) {
      if (delimiter.length === 1) return;
      const last = bytes.subarray(Math.max(0, bytes.length - delimiter.length + 1));
      if (Buffer.concat([last, delimiter]).indexOf(delimiter) === last.length) return;
    }
    throw new FramingError('ERR_FRAME_DELIMITER', 'The delimiter begins within the payload');
  }
}

/**
 * Frames with a delimiter after each. A frame is what stands before it. The stream has to end with a
 * delimiter: what follows the last is a frame that was cut off.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` or `ERR_INVALID_ARG_VALUE` for bad options.
 */
export function delimited(options?: DelimitedOptions): Codec<Buffer, Payload> {
  const given = optionsOf(options);
  const { delimiter = '\n' } = given;
  const bytes = Buffer.from(bytesOf(delimiter, 'options.delimiter'));
  if (bytes.length === 0) {
    throw invalidValue('options.delimiter', "''", 'it has no bytes');
  }
  return new DelimitedCodec(bytes, checkFraming(given));
}

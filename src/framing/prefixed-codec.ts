/** Encodes frames that begin with a header; what differs between framings is the header alone. */
import { LARGE_PAYLOAD_BYTES } from './codec';
import type { Codec, Decoder, FrameLimits } from './codec';
import { tooLarge } from './errors';
import { PrefixedDecoder } from './prefixed-decoder';
import type { HeaderReader } from './prefixed-decoder';

/** The header of one framing. */
export interface HeaderFormat<Received, Sent> {
  reader(): HeaderReader<Received>;
  /** Throws for what is no frame. */
  payloadOf(frame: Sent): Uint8Array;
  headerBytes(payloadBytes: number): number;
  /** Writes it to the start of `target`. */
  write(target: Buffer, frame: Sent, payloadBytes: number): void;
}

export class PrefixedCodec<Received, Sent> implements Codec<Received, Sent> {
  readonly #format: HeaderFormat<Received, Sent>;
  readonly #limits: FrameLimits;

  constructor(format: HeaderFormat<Received, Sent>, limits: FrameLimits) {
    this.#format = format;
    this.#limits = limits;
  }

  encode(frame: Sent): Buffer {
    return this.#joined(frame, this.#payloadOf(frame));
  }

  encodeParts(frame: Sent): Uint8Array[] {
    const payload = this.#payloadOf(frame);
    const headerBytes = this.#format.headerBytes(payload.length);
    if (headerBytes === 0) return [payload];
    if (payload.length < LARGE_PAYLOAD_BYTES) return [this.#joined(frame, payload)];
    const header = Buffer.allocUnsafe(headerBytes);
    this.#format.write(header, frame, payload.length);
    return [header, payload];
  }

  decoder(): Decoder<Received> {
    return new PrefixedDecoder(this.#format.reader(), this.#limits.copy);
  }

  #joined(frame: Sent, payload: Uint8Array): Buffer {
    const headerBytes = this.#format.headerBytes(payload.length);
    const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
    this.#format.write(bytes, frame, payload.length);
    bytes.set(payload, headerBytes);
    return bytes;
  }

  #payloadOf(frame: Sent): Uint8Array {
    const payload = this.#format.payloadOf(frame);
    const { maxPayloadBytes } = this.#limits;
    if (payload.length > maxPayloadBytes) throw tooLarge(payload.length, maxPayloadBytes);
    return payload;
  }
}

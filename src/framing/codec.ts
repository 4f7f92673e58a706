/**
 * What every framing offers: how a message becomes bytes, and how the bytes of a stream, cut wherever
 * the network likes, become messages again.
 */
import { bare } from '../net/bare';
import { checkInteger } from '../check-integer';
import type { Range } from '../check-integer';
import { invalidType } from '../node-argument-errors';

/** What is sent: bytes, or a text as UTF-8. */
export type Payload = Uint8Array | string;

export interface FramingOptions {
  /**
   * The longest payload in bytes, 0 to 2^32 - 1, of what is received and of what is sent. Default
   * 1 MiB. A longer one is an error (`ERR_FRAME_TOO_LARGE`) as soon as its length is known.
   */
  maxPayloadBytes?: number | undefined;
  /**
   * Whether a frame has memory of its own. Default false: a frame that came within one chunk is a
   * view of it, and keeps all of the chunk alive as long as it is kept itself. True costs one copy,
   * and is for programs that keep small frames, or whose chunks' memory is used again.
   */
  copy?: boolean | undefined;
}

/**
 * Decodes one stream. It never waits and holds no timer; of what it was given it keeps the frame that
 * is not complete, so at most `maxPayloadBytes` and a header.
 */
export interface Decoder<Frame> {
  /** Bytes of the unfinished frame that it holds, the header included. */
  readonly bufferedBytes: number;
  /**
   * Takes the next bytes, and calls `onFrame` for each frame that they complete.
   *
   * @throws FramingError where the bytes are no frames, after the frames before. The decoder is of no
   * use then, and throws the same for whatever follows; so it does after an error that `onFrame` threw.
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void;
  /** The same with the frames as an array. An error that comes after frames is thrown by the next call. */
  push(chunk: Uint8Array): Frame[];
  /**
   * Says that nothing follows.
   *
   * @throws FramingError `ERR_FRAME_TRUNCATED` where a frame is not complete.
   */
  end(): void;
}

/** A framing with its options. It has no state, so that one serves any number of connections. */
export interface Codec<Received, Sent = Received> {
  /**
   * The bytes of a frame, in one Buffer. Costs a copy of the payload.
   *
   * @throws FramingError for a payload that cannot be sent in this framing; `ERR_INVALID_ARG_TYPE` and
   * `ERR_OUT_OF_RANGE` for what is no frame, or has a field that does not fit.
   */
  encode(frame: Sent): Buffer;
  /**
   * The same bytes in as few pieces as suit a `writev`, to be written one after the other. A payload of
   * 4 KiB or more is a piece of its own, which is not copied and must not change until it is sent.
   */
  encodeParts(frame: Sent): Uint8Array[];
  /** A decoder for one stream. */
  decoder(): Decoder<Received>;
}

export const DEFAULT_MAX_PAYLOAD_BYTES = 1024 * 1024;
/** A payload of less is copied: that costs less than another piece does. */
export const LARGE_PAYLOAD_BYTES = 4096;
/** Buffers can be no longer in every Node that we support. */
const payloadRange: Range = [0, 2 ** 32 - 1];

export interface FrameLimits {
  maxPayloadBytes: number;
  copy: boolean;
}

/** A copy of what was given, on no prototype. */
export function optionsOf<Options extends object>(given: Options | undefined): Options {
  if (given === undefined) return bare({} as Options);
  if (typeof given !== 'object' || given === null) throw invalidType('options', 'object', given);
  return bare({ ...given });
}

export function checkFraming(
  { maxPayloadBytes = DEFAULT_MAX_PAYLOAD_BYTES, copy = false }: FramingOptions,
  mostBytes = payloadRange[1],
): FrameLimits {
  checkInteger('options.maxPayloadBytes', maxPayloadBytes, payloadRange);
  if (typeof copy !== 'boolean') throw invalidType('options.copy', 'boolean', copy);
  return { maxPayloadBytes: Math.min(maxPayloadBytes, mostBytes), copy };
}

/** The bytes of a payload, without a copy unless it is a text. */
export function bytesOf(payload: unknown, name: string): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  if (typeof payload === 'string') return Buffer.from(payload);
  throw invalidType(name, 'string or an instance of Uint8Array', payload);
}

/**
 * The bytes in memory of their own. Not from Node's pool, of which a kept frame would keep all: in some
 * versions that is as much as a chunk.
 */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The same bytes as a Buffer, whose methods decoders use. */
export function bufferOf(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  throw invalidType('chunk', 'Uint8Array', chunk);
}

/** What may be wrong with a stream of frames, or with a frame that is to be sent. */
import { showCode } from '../show-code';

/**
 * - `ERR_FRAME_TOO_LARGE`: a frame is longer than `maxPayloadBytes`; `announced` and `limit` say by
 *   how much. Of delimited frames `announced` is what had come by then. No memory was taken for it.
 * - `ERR_FRAME_LENGTH`: the length is impossible: it counts a header and is smaller than that, it is
 *   no varint, or a message of fixed size has another.
 * - `ERR_FRAME_TRUNCATED`: the stream ended, or was closed, within a frame; `received` is how many
 *   bytes of it had come.
 * - `ERR_FRAME_DELIMITER`: the payload that is to be sent would be taken for more than one frame.
 * - `ERR_FRAME_DECODER_BUSY`: `push()` or `end()` was called by the `onFrame` of a `push()`.
 * - `ERR_HEARTBEAT_TIMEOUT`: nothing came from the peer for `timeout` ms.
 */
export type FramingErrorCode =
  | 'ERR_FRAME_TOO_LARGE'
  | 'ERR_FRAME_LENGTH'
  | 'ERR_FRAME_TRUNCATED'
  | 'ERR_FRAME_DELIMITER'
  | 'ERR_FRAME_DECODER_BUSY'
  | 'ERR_HEARTBEAT_TIMEOUT';

interface Details {
  /** Bytes of payload that the peer announced; a bigint where a number is not exact. */
  announced?: number | bigint;
  /** `maxPayloadBytes`, in bytes. */
  limit?: number;
  /** Bytes of the unfinished frame, its header included. */
  received?: number;
  /** Milliseconds, as it was set. */
  timeout?: number;
}

/** An error of framing itself; those of the stream below come as they are. */
export class FramingError extends Error {
  readonly code: FramingErrorCode;
  declare readonly announced?: number | bigint;
  declare readonly limit?: number;
  declare readonly received?: number;
  declare readonly timeout?: number;

  constructor(code: FramingErrorCode, message: string, details: Details = {}) {
    super(message);
    showCode(this, code);
    this.code = code;
    Object.assign(this, details);
  }
}

export const tooLarge = (announced: number | bigint, limit: number): FramingError =>
  new FramingError(
    'ERR_FRAME_TOO_LARGE',
    `A frame of ${announced} bytes is longer than the limit of ${limit}`,
    { announced, limit },
  );

export const badLength = (what: string, announced?: number | bigint): FramingError =>
  new FramingError('ERR_FRAME_LENGTH', what, announced === undefined ? {} : { announced });

export const truncated = (received: number): FramingError =>
  new FramingError('ERR_FRAME_TRUNCATED', `The stream ended ${received} bytes into a frame`, {
    received,
  });

/** The header `{ dataLength, commandType }`: two numbers of 32 bits, and the payload follows. */
import { checkInteger } from '../check-integer';
import type { Codec, FramingOptions, Payload } from './codec';
import { optionsOf } from './codec';
import type { HeartbeatOptions } from './heartbeat';
import { lengthPrefixed } from './length-prefixed';
import type { LengthPrefixedOptions } from './length-prefixed';

/** A frame that was received; `payload.length` is the `dataLength` of its header. */
export interface CommandFrame {
  /** 0 to 2^32 - 1. */
  commandType: number;
  payload: Buffer;
}

/** A frame that is to be sent. */
export interface CommandMessage {
  /** 0 to 2^32 - 1. */
  readonly commandType: number;
  /** Default empty. */
  readonly payload?: Payload | undefined;
}

export interface CommandFramesOptions
  extends FramingOptions, Pick<LengthPrefixedOptions, 'endianness'> {}

/**
 * Frames with the header `dataLength` (uint32, of the payload alone) and `commandType` (uint32).
 *
 * @throws as `lengthPrefixed()`.
 */
export function commandFrames(options?: CommandFramesOptions): Codec<CommandFrame, CommandMessage> {
  const { maxPayloadBytes, copy, endianness } = optionsOf(options);
  const after = { commandType: 'uint32' } as const;
  return lengthPrefixed({ maxPayloadBytes, copy, endianness, lengthBytes: 4, after });
}

export interface CommandHeartbeatOptions {
  /** Milliseconds of silence after which a ping is sent. Default 15,000. */
  interval?: number | undefined;
  /** Milliseconds of silence after which the connection is given up. Default three intervals. */
  timeout?: number | undefined;
  /** The `commandType` of a ping. Default 2^32 - 2. */
  pingType?: number | undefined;
  /** The `commandType` of its answer, which has the ping's payload. Default 2^32 - 1. */
  pongType?: number | undefined;
}

const anyType = [0, 2 ** 32 - 1] as const;

/**
 * Heart-beats of command frames, for the option `heartbeat` of `framed()`. Both sides need the same
 * types; one that has no heart-beats must answer a ping by a pong.
 */
export function commandHeartbeat(
  options?: CommandHeartbeatOptions,
): HeartbeatOptions<CommandFrame, CommandMessage> {
  const given = optionsOf(options);
  const { interval, timeout, pingType = anyType[1] - 1, pongType = anyType[1] } = given;
  checkInteger('options.pingType', pingType, anyType);
  checkInteger('options.pongType', pongType, anyType);
  return {
    interval,
    timeout,
    ping: () => ({ commandType: pingType }),
    isPing: ({ commandType }) => commandType === pingType,
    pong: ({ payload }) => ({ commandType: pongType, payload }),
    isPong: ({ commandType }) => commandType === pongType,
  };
}

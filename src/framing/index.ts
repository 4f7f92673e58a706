/**
 * `iocp-net/framing`: messages over streams of bytes. It stands on Node's streams alone and loads
 * nothing of the core, so it serves `node:net` and any other stream as well.
 *
 * Read `codec.ts` first. A framing is a Codec: `prefixed-codec.ts` and `prefixed-decoder.ts` are all
 * those with a header (`length-prefixed.ts`, `varint-prefixed.ts`, `fixed-size.ts`), `delimited.ts`
 * the other kind. `framed.ts` puts one on a stream.
 */
export { commandFrames, commandHeartbeat } from './command-frames';
export type {
  CommandFrame,
  CommandFramesOptions,
  CommandHeartbeatOptions,
  CommandMessage,
} from './command-frames';
export type { Codec, Decoder, FramingOptions, Payload } from './codec';
export { delimited } from './delimited';
export type { DelimitedOptions } from './delimited';
export { FramingError } from './errors';
export type { FramingErrorCode } from './errors';
export type { Fields, FieldType } from './fields';
export { fixedSize } from './fixed-size';
export type { FixedSizeOptions } from './fixed-size';
export { Framed, framed } from './framed';
export type { FramedOptions } from './framed';
export type { HeartbeatOptions } from './heartbeat';
export { lengthPrefixed } from './length-prefixed';
export type {
  LengthBytes,
  LengthCounts,
  LengthPrefixedFrame,
  LengthPrefixedMessage,
  LengthPrefixedOptions,
} from './length-prefixed';
export { varintPrefixed } from './varint-prefixed';
export type { VarintPrefixedOptions } from './varint-prefixed';

/** Frames that have no header, since all have one size. */
import { checkInteger } from '../check-integer';
import { bytesOf, checkFraming, optionsOf } from './codec';
import type { Codec, FramingOptions, Payload } from './codec';
import { badLength } from './errors';
import { PrefixedCodec } from './prefixed-codec';
import type { HeaderReader } from './prefixed-decoder';

export interface FixedSizeOptions extends Pick<FramingOptions, 'copy'> {
  /** Bytes of each frame, 1 to 2^32 - 1. */
  bytes: number;
}

class NoHeaderReader implements HeaderReader<Buffer> {
  readonly mostBytes = 0;
  readonly headerBytes = 0;
  readonly payloadBytes: number;

  constructor(bytes: number) {
    this.payloadBytes = bytes;
  }

  read(): boolean {
    return true;
  }

  begin(): Buffer {
    return nothing;
  }

  complete(_begun: Buffer, payload: Buffer): Buffer {
    return payload;
  }
}

const nothing = Buffer.alloc(0);

/**
 * Frames of one size, one after the other. To send another size is an error, `ERR_FRAME_LENGTH`.
 *
 * @throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for bad options.
 */
export function fixedSize(options: FixedSizeOptions): Codec<Buffer, Payload> {
  const { bytes, copy } = optionsOf<FixedSizeOptions>(options);
  checkInteger('options.bytes', bytes, [1, 2 ** 32 - 1]);
  return new PrefixedCodec<Buffer, Payload>(
    {
      reader: () => new NoHeaderReader(bytes),
      payloadOf: (frame) => {
        const payload = bytesOf(frame, 'frame');
        if (payload.length === bytes) return payload;
        throw badLength(`A frame of ${payload.length} bytes is none of ${bytes}`);
      },
      headerBytes: () => 0,
      write: () => {},
    },
    checkFraming({ copy, maxPayloadBytes: bytes }),
  );
}

// What is compared: for each framing, ours and packages of npm, as streams and as what each has for
// the hot path. An arm takes the chunks of a stream and calls `onFrame` with each frame.
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import binarySplit from 'binary-split';
import frameStream from 'frame-stream';
import { decode as decodeIterable } from 'it-length-prefixed';
import lengthPrefixedStream from 'length-prefixed-stream';
import split2 from 'split2';
import { delimited, framed, lengthPrefixed, varintPrefixed } from '../../dist/entry/framing.mjs';

const limits = { maxPayloadBytes: 1024 * 1024 };
const codecs = {
  uint32: lengthPrefixed(limits),
  varint: varintPrefixed(limits),
  line: delimited(limits),
};

/** A stream that has all chunks at hand. */
function source(chunks) {
  let at = 0;
  return new Readable({
    read() {
      this.push(chunks[at++] ?? null);
    },
  });
}

const overTransform = (make) => (chunks, onFrame) => {
  const decoder = make();
  decoder.on('data', onFrame);
  source(chunks).pipe(decoder);
  return finished(decoder, { writable: false });
};

const ourDecoder = (codec) => (chunks, onFrame) => {
  const decoder = codec.decoder();
  for (const chunk of chunks) decoder.push(chunk, onFrame);
  decoder.end();
};

const ourStream = (codec) => (chunks, onFrame) => {
  const connection = framed(source(chunks), codec);
  connection.on('data', onFrame);
  return finished(connection);
};

const ourOnFrame = (codec) => (chunks, onFrame) =>
  finished(framed(source(chunks), codec, { onFrame }));

/** It gives a list of pieces; whoever reads the frame needs them in a row, as the others give it. */
function overIterable(chunks, onFrame) {
  for (const frame of decodeIterable(chunks, { maxDataLength: limits.maxPayloadBytes })) {
    onFrame(frame.subarray());
  }
}

/** It gives texts, the others Buffers. */
const splitLines = () => split2();

/** By framing. `stream` arms are compared with each other, and `direct` ones. */
export const framings = {
  uint32: {
    encode: (payload) => codecs.uint32.encode(payload),
    stream: {
      ours: ourStream(codecs.uint32),
      'ours, onFrame': ourOnFrame(codecs.uint32),
      'frame-stream': overTransform(() => frameStream.decode({ maxSize: limits.maxPayloadBytes })),
    },
    direct: { ours: ourDecoder(codecs.uint32) },
  },
  varint: {
    encode: (payload) => codecs.varint.encode(payload),
    stream: {
      ours: ourStream(codecs.varint),
      'ours, onFrame': ourOnFrame(codecs.varint),
      'length-prefixed-stream': overTransform(() =>
        lengthPrefixedStream.decode({ limit: limits.maxPayloadBytes }),
      ),
    },
    direct: { ours: ourDecoder(codecs.varint), 'it-length-prefixed': overIterable },
  },
  line: {
    encode: (payload) => codecs.line.encode(payload),
    stream: {
      ours: ourStream(codecs.line),
      'ours, onFrame': ourOnFrame(codecs.line),
      'binary-split': overTransform(() => binarySplit('\n')),
      split2: overTransform(splitLines),
    },
    direct: { ours: ourDecoder(codecs.line) },
  },
};

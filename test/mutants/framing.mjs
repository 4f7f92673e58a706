// Mutations of iocp-net/framing, and the test file that notices each. See scripts/test-mutants.mjs.

import { inFile } from './in-file.mjs';

export const framing = [
  ...inFile(
    'file',
    'src/framing/partial-frame.ts',
    [
      'an announced length takes its memory at once',
      `if (frameBytes <= DIRECT_BYTES) this.#gathered`,
      `this.#gathered`,
      'framing/codec',
    ],
    [
      'chunks are held although they will change',
      `if (this.#holdsChunks && bytes >= HELD_BYTES)`,
      `if (bytes >= HELD_BYTES)`,
      'properties/framing',
    ],
    [
      'held chunks stand before what was gathered earlier',
      `    this.#closeGathered();
    this.#parts.push(part);`,
      `    this.#parts.push(part);`,
      'properties/framing',
    ],
  ),
  ...inFile('file', 'src/framing/codec.ts', [
    'a copy comes from the pool of many',
    `const copy = Buffer.allocUnsafeSlow(bytes.length);`,
    `const copy = Buffer.allocUnsafe(bytes.length);`,
    'framing/codec',
  ]),
  ...inFile(
    'file',
    'src/framing/prefixed-decoder.ts',
    [
      'a header that was completed counts what the chunk before had of it',
      `const start = reader.headerBytes - before;`,
      `const start = reader.headerBytes;`,
      'properties/framing',
    ],
    [
      'a copy is a view',
      `return this.#copies ? ownCopy(view) : view;`,
      `void ownCopy;
    return this.#copies ? view : view;`,
      'framing/codec',
    ],
  ),
  ...inFile(
    'file',
    'src/framing/length-prefixed.ts',
    [
      'the limit is not looked at',
      `if (!(payloadBytes <= this.#maxPayloadBytes)) {`,
      `if (Number.isNaN(payloadBytes)) {`,
      'framing/codec',
    ],
    [
      'a length that is smaller than its header is taken',
      `if (payloadBytes < 0) {`,
      `if (payloadBytes < -1e6) {`,
      'framing/codec',
    ],
    [
      'what the length counts is forgotten when it is written',
      `const value = payloadBytes + surplus;`,
      `const value = payloadBytes;`,
      'properties/framing',
    ],
  ),
  ...inFile('file', 'src/framing/varint.ts', [
    'a varint without an end is waited for',
    `if (last - at === BASE128_MOST_BYTES) {`,
    `if (last - at > BASE128_MOST_BYTES) {`,
    'framing/codec',
  ]),
  ...inFile(
    'file',
    'src/framing/delimited-decoder.ts',
    [
      'a delimiter in two chunks is not found',
      `return found === -1 || found >= tail.length ? null`,
      `return found >= -1 ? null`,
      'properties/framing',
    ],
    [
      'a frame without a delimiter grows for ever',
      `if (least > maxPayloadBytes) throw`,
      `if (least > 1e9) throw`,
      'framing/codec',
    ],
  ),
  ...inFile('file', 'src/framing/delimited.ts', [
    'a payload that ends with the beginning of the delimiter is sent',
    `if (delimiter.length === 1) return;`,
    `if (delimiter.length > 0) return;`,
    'properties/framing',
  ]),
  ...inFile(
    'file',
    'src/framing/base-decoder.ts',
    [
      'an end within a frame is silent',
      `if (bufferedBytes > 0) this.#fail(truncated(bufferedBytes));`,
      `void [bufferedBytes, truncated];`,
      'framing/framed',
    ],
    [
      'a decoder that has failed goes on',
      `    this.#phase = Phase.Failed;
    this.#error = error;`,
      `    this.#phase = Phase.Ready;
    this.#error = error;`,
      'properties/framing',
    ],
  ),
  ...inFile(
    'file',
    'src/framing/framed.ts',
    [
      'send() goes past what was written before',
      `const isNext = this.writableLength === 0 &&`,
      `const isNext =`,
      'framing/framed',
    ],
    [
      'what is written does not wait for the stream below',
      `if (this.#writeParts(parts)) callback();
    else this.#blocked = callback;`,
      `this.#writeParts(parts);
    callback();`,
      'framing/framed',
    ],
    [
      'a slow reader does not stop the stream below',
      `    this.#reading = Reading.Held;
    this.stream.pause();`,
      `    this.#reading = Reading.Held;`,
      'framing/framed',
    ],
    [
      'what waits to be written is not told of the end',
      `blocked?.(error ?? prematureClose());`,
      `void blocked;`,
      'framing/framed',
    ],
    [
      'the end of an iteration destroys what was sent',
      `this.iterator({ destroyOnReturn: false })`,
      `this.iterator({ destroyOnReturn: true })`,
      'framing/framed',
    ],
    [
      'frames are delivered after destroy()',
      `if (this.destroyed || this.#heartbeat?.takes(frame)) return;`,
      `if (this.#heartbeat?.takes(frame)) return;`,
      'framing/framed',
    ],
    [
      'a paused connection is judged',
      `this.#reading === Reading.Flowing && !this.stream.isPaused() && below.connecting !== true,`,
      `below.connecting !== true,`,
      'framing/heartbeat',
    ],
  ),
  ...inFile(
    'file',
    'src/framing/heartbeat.ts',
    [
      'what arrives is no sign of life',
      `    this.#heardAt = performance.now();
  }

  /** Whether the frame was`,
      `  }

  /** Whether the frame was`,
      'framing/heartbeat',
    ],
    [
      'each ping of who does not read is answered',
      `if (this.#link.hasRoom()) this.#answer(frame);`,
      `if (true) this.#answer(frame);`,
      'framing/heartbeat',
    ],
    [
      'a process that was away blames its peer',
      `if (this.#askedAt < this.#heardAt) this.#askedAt = now;`,
      `if (this.#askedAt < this.#heardAt) this.#askedAt = this.#heardAt;`,
      'framing/heartbeat',
    ],
    [
      'a late timer judges by what was read before',
      `if (this.#heardAt > heardAt) return`,
      `if (this.#heardAt > heardAt + 1e9) return`,
      'framing/heartbeat',
    ],
    [
      'silence has no end',
      `if (now >= giveUpAt) return this.#lookOnceMore();`,
      `if (now >= giveUpAt + 1e9) return this.#lookOnceMore();`,
      'framing/heartbeat',
    ],
    [
      'the timer holds the process',
      `Math.ceil(milliseconds)).unref();`,
      `Math.ceil(milliseconds));`,
      'framing/heartbeat',
    ],
  ),
];

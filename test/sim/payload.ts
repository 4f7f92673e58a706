/** What is written, in all shapes, by chance. */
import type { Random } from '../load/random';
import { bytesAt } from '../load/stream-bytes';

export interface Payload {
  readonly chunk: string | Uint8Array;
  readonly encoding: BufferEncoding | undefined;
  readonly bytes: Buffer;
}

const LATIN = ['a', 'Z', '0', ' ', '\n', 'é', 'ß'];
const LETTERS = [...LATIN, '€', '漢', '🙂'];

/** About so many bytes, and other ones each time. */
function text(random: Random, length: number, letters: readonly string[]): string {
  let made = '';
  while (made.length < Math.min(length, 61)) made += letters[random.integer(0, letters.length - 1)];
  return made === '' ? '' : made.repeat(Math.ceil(length / made.length));
}

export function someBytes(random: Random, length: number): Buffer {
  return Buffer.from(bytesAt(random.integer(0, 1_000_000), 0, length));
}

type Shape = 'bytes' | 'array' | 'text' | BufferEncoding;

export function somePayload(random: Random, length: number): Payload {
  const shape = random.pick<Shape>([
    ['bytes', 4],
    ['array', 1],
    ['text', 2],
    ['utf8', 1],
    ['latin1', 1],
    ['utf16le', 1],
    ['hex', 1],
    ['base64', 1],
  ]);
  if (shape === 'bytes' || shape === 'array') {
    const bytes = someBytes(random, length);
    const chunk = shape === 'bytes' ? Buffer.from(bytes) : new Uint8Array(bytes);
    return { chunk, encoding: undefined, bytes };
  }
  if (shape === 'text') {
    const chunk = text(random, length, LATIN.slice(0, 5));
    return { chunk, encoding: undefined, bytes: Buffer.from(chunk) };
  }
  const isText = shape === 'utf8' || shape === 'latin1' || shape === 'utf16le';
  const chunk = isText
    ? text(random, length, shape === 'latin1' ? LATIN : LETTERS)
    : someBytes(random, length).toString(shape);
  return { chunk, encoding: shape, bytes: Buffer.from(chunk, shape) };
}

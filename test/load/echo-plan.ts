/**
 * What one echo connection does, derived by both of its sides from the run's seed and its number.
 *
 * The client sends its number in four bytes, then its stream; the server sends the stream back.
 */
import { Random } from './random';

export const HEADER_BYTES = 4;

export type Kind =
  /** The client sends all, ends, and reads all back. */
  | 'polite'
  /** The server ends its side when it has had `cut` bytes, and goes on reading to the end. */
  | 'server-ends-first'
  | 'client-destroys'
  | 'client-resets'
  | 'server-destroys';

export interface Plan {
  kind: Kind;
  /** Where in the common pool its stream starts. */
  start: number;
  messages: number[];
  total: number;
  /** Bytes after which `kind` shows. */
  cut: number;
  startsAfterMs: number;
  /** For everything that need not be the same on both sides. */
  random: Random;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const MOST_MESSAGES = 20;
const LARGE_SHARE = 0.15;
const START_SPREAD_MS = 300;

const KINDS: readonly (readonly [Kind, number])[] = [
  ['polite', 72],
  ['server-ends-first', 10],
  ['client-destroys', 7],
  ['server-destroys', 7],
  ['client-resets', 4],
];

export function planOf(runSeed: number, id: number): Plan {
  const random = new Random(runSeed, id);
  const kind = random.pick(KINDS);
  const messages = Array.from({ length: random.integer(1, MOST_MESSAGES) }, () =>
    random.chance(LARGE_SHARE) ? random.magnitude(16 * KIB, MIB) : random.magnitude(1, 16 * KIB),
  );
  const total = messages.reduce((sum, size) => sum + size, 0);
  return {
    kind,
    start: random.integer(0, MIB),
    messages,
    total,
    cut: random.integer(1, total),
    startsAfterMs: random.integer(0, START_SPREAD_MS),
    random,
  };
}

/** How a connection may fail when one side breaks it off. */
export const BREAKS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** What one side of a connection has seen. */
export interface Account {
  id: number;
  bytes: number;
  /** SHA-1 of those bytes: of the stream sent at the client, received at the server. */
  digest: string;
  /** The other side's end was seen. */
  ended: boolean;
  error: string | null;
  /** What must not have happened. */
  fault: string | null;
}

/** Conditional requests and ranges, after RFC 9110. */
import type { IncomingHttpHeaders } from 'node:http';

/** What a condition compares with. */
export interface Validators {
  readonly etag: string;
  /** To the second, as HTTP has it. */
  readonly modifiedMs: number;
}

const SECOND_MS = 1000;

export function validatorsOf(file: { size: bigint; mtimeNs: bigint; ino: bigint }): Validators {
  const parts = [file.ino, file.size, file.mtimeNs].map((part) => part.toString(16));
  const modifiedMs = Number(file.mtimeNs / 1_000_000_000n) * SECOND_MS;
  return { etag: `"${parts.join('-')}"`, modifiedMs };
}

function isListed(list: string, etag: string): boolean {
  if (list.trim() === '*') return true;
  return list.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

/** Where the header is a date: whether the file is newer than that. Null where it is none. */
function isNewerThan(date: string | undefined, { modifiedMs }: Validators): boolean | null {
  const at = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(at) ? null : modifiedMs > at;
}

export type Precondition = 'met' | 'failed' | 'not modified';

/** In the order that the RFC gives them. */
export function precondition(headers: IncomingHttpHeaders, file: Validators): Precondition {
  const match = headers['if-match'];
  if (match !== undefined) {
    if (!isListed(match, file.etag)) return 'failed';
  } else if (isNewerThan(headers['if-unmodified-since'], file) === true) return 'failed';
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return isListed(noneMatch, file.etag) ? 'not modified' : 'met';
  return isNewerThan(headers['if-modified-since'], file) === false ? 'not modified' : 'met';
}

export interface Range {
  readonly first: number;
  /** The last that belongs to it. */
  readonly last: number;
}

/** Only of the file that the client has a part of already. */
function isRangeValid(condition: string | undefined, file: Validators): boolean {
  if (condition === undefined) return true;
  return condition.startsWith('"')
    ? condition === file.etag
    : Date.parse(condition) === file.modifiedMs;
}

/**
 * The range that is asked for; `'whole'` where there is none, or several, or one that is nonsense,
 * which may be ignored; `'unsatisfiable'` where it lies beyond the end.
 */
export function rangeOf(
  headers: IncomingHttpHeaders,
  file: Validators,
  size: number,
): Range | 'whole' | 'unsatisfiable' {
  const { range, 'if-range': condition } = headers;
  const found = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/.exec(range ?? '');
  if (found === null || !isRangeValid(condition as string | undefined, file)) return 'whole';
  const [, from = '', to = ''] = found;
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) return 'whole';
  return first >= size ? 'unsatisfiable' : { first, last };
}

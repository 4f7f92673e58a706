/** Checks of options that are integers, with Node's own errors. */
import { invalidType, outOfRange } from './node-argument-errors';

export type Range = readonly [least: number, most: number];

export const anyCount = Number.MAX_SAFE_INTEGER;
/** Milliseconds; Node takes more for 1. */
export const longestTimer = 2 ** 31 - 1;

/** Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`; `name` is how the message calls the value. */
export function checkInteger(
  name: string,
  value: unknown,
  [least, most]: Range,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
}

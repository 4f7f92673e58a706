/** Values of options, checked. */
import { UsageError } from './command';

/** A whole number within a range; `otherwise` where the option is absent. */
export function wholeNumber(
  name: string,
  value: unknown,
  [least, most]: readonly [least: number, most: number],
  otherwise: number,
): number {
  if (typeof value !== 'string') return otherwise;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `--${name} must be a whole number from ${least} to ${most}, and is ${value}`,
  );
}

/** Where only one word may stand, or none. */
export function atMostOne(positionals: readonly string[], what: string): string | undefined {
  if (positionals.length > 1) {
    throw new UsageError(`one ${what} is enough, and there are ${positionals.length}`);
  }
  return positionals[0];
}

/** Refuses what follows `--` where it means nothing. */
export function nothingAfterDashes(afterDashes: readonly string[]): void {
  if (afterDashes.length > 0)
    throw new UsageError(`nothing may follow --, and ${afterDashes[0]} does`);
}

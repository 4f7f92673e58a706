/** What the figures of one load say, and what those of all loads say together, in words. */
import type { Comparison } from './comparison';

export type Verdict = 'faster' | 'no difference' | 'stay with node:net';
export type VerdictOfAll = Verdict | 'depends on the load';

export interface Figures {
  readonly rate: Comparison | null;
  readonly cpu: Comparison | null;
}

/** Beyond the noise: 1 better, -1 worse, 0 neither. More of a rate is better, more of a cost worse. */
function direction(comparison: Comparison | null, moreIs: 1 | -1): number {
  if (comparison === null || !comparison.isReal) return 0;
  return Math.sign(comparison.ratio - 1) * moreIs;
}

/** What one figure gains and the other loses is no difference: the table shows both. */
export function verdictOf({ rate, cpu }: Figures): Verdict {
  const directions = [direction(rate, 1), direction(cpu, -1)];
  const isBetter = directions.includes(1);
  const isWorse = directions.includes(-1);
  if (isBetter === isWorse) return 'no difference';
  return isBetter ? 'faster' : 'stay with node:net';
}

export function verdictOfAll(verdicts: readonly Verdict[]): VerdictOfAll {
  const isThere = (each: Verdict): boolean => verdicts.includes(each);
  if (isThere('faster') && isThere('stay with node:net')) return 'depends on the load';
  if (isThere('faster')) return 'faster';
  return isThere('stay with node:net') ? 'stay with node:net' : 'no difference';
}

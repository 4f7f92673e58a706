/** From the runs of all rounds to how ours compares with node:net, and to what is noise. */

/** In the order of an even round. */
export const ARMS = ['node:net', 'iocp-net', 'node:net again'] as const;
export type Arm = (typeof ARMS)[number];

export interface Run {
  readonly rate: number;
  /** Microseconds of all the server's threads and processes, per message; null: not known here. */
  readonly cpu: number | null;
  /** This and the next in microseconds. */
  readonly p50: number;
  readonly p99: number;
}

export type Round = Record<Arm, Run>;

export interface Comparison {
  readonly node: number;
  readonly ours: number;
  /** Of the two. */
  readonly ratio: number;
  /** How far node:net was from itself, run again in each round; at least 3 %. */
  readonly noise: number;
  /** The ratio is beyond the noise. */
  readonly isReal: boolean;
}

/** Two or three rounds agree by chance, so that nothing below this counts as a difference. */
const LEAST_NOISE = 0.03;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Null where the figure is not known, or was 0. */
export function compare(rounds: readonly Round[], figure: keyof Run): Comparison | null {
  const of = (arm: Arm): number[] => rounds.map((round) => round[arm][figure] ?? 0);
  const [first, ours, again] = ARMS.map(of) as [number[], number[], number[]];
  if (rounds.length === 0 || [...first, ...ours, ...again].some((value) => value <= 0)) return null;
  const base = first.map((value, i) => Math.sqrt(value * (again[i] ?? value)));
  const ratio = median(ours.map((value, i) => value / (base[i] ?? NaN)));
  const apart = again.map((value, i) => Math.abs(Math.log(value / (first[i] ?? NaN))));
  const noise = Math.max(LEAST_NOISE, Math.expm1(Math.max(...apart)));
  const isReal = rounds.length > 1 && Math.abs(Math.log(ratio)) > Math.log1p(noise);
  return { node: median(base), ours: median(ours), ratio, noise, isReal };
}

function show(value: number, digits: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : digits });
}

/** `a → b`, their ratio and the noise, for a table. */
export function cells(comparison: Comparison | null, digits: number): [string, string] {
  if (comparison === null) return ['-', '-'];
  const { node, ours, ratio, noise, isReal } = comparison;
  return [
    `${show(node, digits)} → ${show(ours, digits)}`,
    `${ratio.toFixed(2)}x ±${(100 * noise).toFixed(0)} %${isReal ? ' *' : ''}`,
  ];
}

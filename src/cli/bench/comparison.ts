/** From the runs of all rounds to how ours compares with node:net. */
import { compare as compareRounds } from '../noise';

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

/** Null where the figure is not known, or was 0. */
export function compare(rounds: readonly Round[], figure: keyof Run): Comparison | null {
  const of = (round: Round, arm: Arm): number => round[arm][figure] ?? 0;
  const figures = rounds.map((round) => ({
    base: of(round, 'node:net'),
    candidate: of(round, 'iocp-net'),
    control: of(round, 'node:net again'),
  }));
  if (figures.some((each) => Math.min(...Object.values(each)) <= 0)) return null;
  const { base, candidate, ratio, noise, real } = compareRounds(figures);
  if (base === undefined || candidate === undefined || ratio === undefined) return null;
  return { node: base, ours: candidate, ratio, noise, isReal: real };
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

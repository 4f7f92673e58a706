/**
 * What of a measured difference is noise: for `iocp-net bench` and for the benchmarks of the
 * repository. The base is measured twice in each round, as itself and as the *control*; what the
 * two are apart is what two equal programs differ by on this machine at this time.
 */

/** One figure of one round, in the same unit and measured one after the other. */
export interface Round {
  readonly base: number;
  readonly candidate: number;
  readonly control: number;
}

export interface Comparison {
  /** Medians. Of base and control it is the middle of the two, which is the better guess. */
  readonly base: number | undefined;
  readonly candidate: number | undefined;
  /** The median of the rounds' ratios of candidate to base; undefined where nothing was measured. */
  readonly ratio: number | undefined;
  /** The largest ratio of base and control in any round, less 1. */
  readonly noise: number;
  /** Whether the ratio is beyond the noise. One round shows nothing. */
  readonly real: boolean;
}

/** Two or three rounds may agree by chance, so nothing below this ever counts as a difference. */
const LEAST_NOISE = 0.03;

/** The middle of what was measured; what could not be is left out. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values
    .filter((value): value is number => Number.isFinite(value))
    .sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  if (upper === undefined || lower === undefined || sorted.length % 2 === 1) return upper;
  return (lower + upper) / 2;
}

/** How far the two are apart, whichever is the larger: 1 and more. */
export const timesApart = (one: number, other: number): number =>
  Math.exp(Math.abs(Math.log(one / other)));

/** The better guess of two equal arms. */
export const between = (base: number, control: number): number => Math.sqrt(base * control);

function noiseOf(rounds: readonly Round[]): number {
  const apart = rounds
    .map(({ base, control }) => timesApart(control, base))
    .filter((times) => Number.isFinite(times));
  return Math.max(LEAST_NOISE, Math.max(1, ...apart) - 1);
}

/** `isSteady` is false where the machine was busy with other things: then nothing is real. */
export function compare(rounds: readonly Round[], isSteady = true): Comparison {
  const bases = rounds.map(({ base, control }) => between(base, control));
  const ratio = median(rounds.map(({ candidate }, i) => candidate / (bases[i] ?? NaN)));
  const noise = noiseOf(rounds);
  return {
    base: median(bases),
    candidate: median(rounds.map(({ candidate }) => candidate)),
    ratio,
    noise,
    real: isSteady && rounds.length > 1 && ratio !== undefined && timesApart(ratio, 1) > 1 + noise,
  };
}

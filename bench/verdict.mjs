// Whether a program pays more than on node:net: the answer for one row, and for all.
import { between, median, timesApart } from '../dist/cli/noise.js';

/** What costs, by kind of load: the figure, and whether more of it is worse (1) or better (-1). */
const MORE = 1;
const LESS = -1;
const messages = { cpu: MORE, rate: LESS };
const COSTS = {
  echo: messages,
  http: messages,
  churn: messages,
  bulk: messages,
  program: messages,
  // All arms have the same rate.
  paced: { cpu: MORE, p50: MORE, p99: MORE },
  storm: { seconds: MORE },
  idle: { bytesPerConnection: MORE },
};

/** Windows of a second or two agree no better, whatever two or three of them say. */
const LEAST = 1.05;
/** The share of rounds that have to agree: of three equal arms, one is the worst in every third. */
const AGREED = 3 / 4;

/** How many times worse than node:net; and how far the two node:net arms are from each other. */
function times(rounds, figure, sign) {
  const of = (arm) => median(rounds.map((round) => round[arm]?.[figure]));
  const [base, candidate, control] = ['base', 'candidate', 'control'].map(of);
  const ratio = (candidate / between(base, control)) ** sign;
  return { ratio, apart: timesApart(control, base) };
}

/** The share of rounds in which ours is worse than both node:net arms. */
function shareOfWorst(rounds, figure, sign) {
  const cost = (run) => sign * run[figure];
  const worst = rounds.filter(
    ({ base, candidate, control }) => cost(candidate) > Math.max(cost(base), cost(control)),
  );
  return worst.length / rounds.length;
}

/**
 * The figures in which ours is worse beyond the noise: by more than 5 %, by more than the medians of
 * the two node:net arms differ, and worse than both in three rounds of four; undefined where nothing
 * is compared with node:net.
 *
 * @returns {{ state: 'worse' | 'not worse' | 'too busy', figures: string[] } | undefined}
 */
export function verdict(group, rounds, calm) {
  const costs = COSTS[group];
  if (costs === undefined) return undefined;
  const figures = Object.keys(costs).filter((figure) => {
    const sign = costs[figure];
    const { ratio, apart } = times(rounds, figure, sign);
    return ratio > Math.max(LEAST, apart) && shareOfWorst(rounds, figure, sign) >= AGREED;
  });
  if (!calm) return { state: 'too busy', figures };
  return { state: figures.length > 0 ? 'worse' : 'not worse', figures };
}

/** 0: no row is worse. 2: one is, or it could not be said of all. */
export const exitCode = (rows) =>
  rows.every((row) => row.verdict === undefined || row.verdict.state === 'not worse') ? 0 : 2;

export function summary(rows) {
  const judged = rows.filter((row) => row.verdict !== undefined);
  const of = (state) => judged.filter((row) => row.verdict.state === state);
  const [worse, busy] = [of('worse'), of('too busy')];
  const unsure = busy.length > 0 ? `; of ${busy.length} the machine was too busy to say` : '';
  return `${worse.length} of ${judged.length} loads worse than node:net beyond the noise${unsure}`;
}

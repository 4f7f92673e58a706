// From the runs of all rounds to a ratio and to what is noise.
import { compare as compareRounds, median } from '../dist/cli/noise.js';
import { verdict } from './verdict.mjs';

/** Cores that neither the server nor the load used: above this a run says little. */
export const CALM = 0.2;
/** A round is the runs { base, candidate, control } of one scenario, one after the other. */
export const isCalm = (round) => Object.values(round).every((run) => run.foreignCores < CALM);

/** The calm rounds when they are enough, else all. */
export function choose(rounds) {
  const calm = rounds.filter(isCalm);
  const enough = calm.length >= Math.min(2, rounds.length);
  return {
    used: enough ? calm : rounds,
    discarded: enough ? rounds.length - calm.length : 0,
    enough,
  };
}

/** How the candidate compares in one figure; see `src/cli/noise.ts`. The control is node:net again. */
export function compare(rounds, figure, calm) {
  const values = rounds.map((round) =>
    Object.fromEntries(['base', 'candidate', 'control'].map((arm) => [arm, round[arm][figure]])),
  );
  return compareRounds(values, calm);
}

const FIGURES = [
  'rate',
  'cpu',
  'cpuMain',
  'cpuBothEnds',
  'seconds',
  'p50',
  'p99',
  'peakBytes',
  'bytesPerConnection',
  'idleCores',
  'allCalls',
];

/** The scenario's goal, the ratio that was measured, and whether it is reached. */
function judge(goal, { ratio, noise }, calm) {
  if (ratio === undefined) return { ...goal, verdict: 'not measured' };
  const distance = goal.atMost === undefined ? goal.atLeast / ratio : ratio / goal.atMost;
  const close = Math.abs(Math.log(distance)) <= Math.log1p(noise);
  return {
    ...goal,
    ratio,
    noise,
    verdict: !calm ? 'too busy' : distance <= 1 ? 'met' : close ? 'within noise' : 'missed',
  };
}

/** One row of the report. `names` says what the arms of its rounds are. */
export function summarize(scenario, rounds, names) {
  const { used, discarded, enough } = choose(rounds);
  const of = (arm, figure) => median(used.map((round) => round[arm]?.[figure]));
  const comparisons = Object.fromEntries(
    FIGURES.map((figure) => [figure, compare(used, figure, enough)]),
  );
  const arms = Object.fromEntries(
    Object.entries(names).map(([arm, name]) => [
      name,
      Object.fromEntries(
        [...FIGURES, 'cpuPorts', 'osCalls', 'wakeups', 'rateOffered', 'p999'].map((figure) => [
          figure,
          of(arm, figure),
        ]),
      ),
    ]),
  );
  return {
    name: scenario.name,
    group: scenario.group,
    unit: scenario.unit,
    placement: scenario.placement,
    connections: scenario.load.connections,
    size: scenario.load.size,
    share: scenario.load.share,
    rounds: used.length,
    discarded,
    calm: enough,
    ...comparisons,
    arms,
    goals: (scenario.goals ?? []).map((goal) => judge(goal, comparisons[goal.figure], enough)),
    verdict: verdict(scenario.group, used, enough),
    osCalls: of('candidate', 'osCalls'),
    wakeups: of('candidate', 'wakeups'),
    loadCores: { base: of('base', 'loadCores'), candidate: of('candidate', 'loadCores') },
    serverCores: { base: of('base', 'serverCores'), candidate: of('candidate', 'serverCores') },
    quantiles: {
      [names.base]: used.at(-1)?.base.quantiles,
      [names.candidate]: used.at(-1)?.candidate.quantiles,
    },
    foreignCores: median(used.flatMap((round) => Object.values(round).map((r) => r.foreignCores))),
  };
}

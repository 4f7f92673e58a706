// From the runs of all rounds to a ratio and to what is noise.
import { median } from './median.mjs';
import { verdict } from './verdict.mjs';

/** Cores that neither the server nor the load used: above this a run says little. */
export const CALM = 0.2;
/** Two or three rounds may agree by chance, so nothing below this ever counts as a difference. */
const LEAST_NOISE = 0.03;

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

/** The largest difference that two equal arms had in any round. */
function noiseOf(rounds, figure) {
  const apart = rounds
    .map(({ base, control }) => Math.abs(Math.log(control[figure] / base[figure])))
    .filter(Number.isFinite);
  return Math.max(LEAST_NOISE, Math.expm1(Math.max(0, ...apart)));
}

/**
 * How the candidate compares in one figure. The control is node:net once more: `noise` is the
 * largest difference that the two had in any round, and only a ratio beyond it is `real`. One
 * round, or a machine that is busy with other things, shows nothing.
 */
export function compare(rounds, figure, calm) {
  const all = (arm) => rounds.map((round) => round[arm][figure]);
  const base = all('base').map((value, i) => Math.sqrt(value * rounds[i].control[figure]));
  const ratio = median(all('candidate').map((value, i) => value / base[i]));
  const noise = noiseOf(rounds, figure);
  return {
    base: median(base),
    candidate: median(all('candidate')),
    ratio,
    noise,
    real: calm && rounds.length > 1 && Math.abs(Math.log(ratio)) > Math.log1p(noise),
  };
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

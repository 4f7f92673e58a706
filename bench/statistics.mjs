// From the runs of all rounds to a ratio and to what is noise.

/** Cores that neither the server nor the load used: above this a run says little. */
export const CALM = 0.2;
/** Two or three rounds may agree by chance, so nothing below this ever counts as a difference. */
const LEAST_NOISE = 0.03;

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

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

/**
 * How the candidate compares in one figure. The control is node:net once more: `noise` is the
 * largest difference that the two had in any round, and only a ratio beyond it is `real`. One
 * round, or a machine that is busy with other things, shows nothing.
 */
export function compare(rounds, figure, calm) {
  const all = (arm) => rounds.map((round) => round[arm][figure]);
  const base = all('base').map((value, i) => Math.sqrt(value * rounds[i].control[figure]));
  const ratio = median(all('candidate').map((value, i) => value / base[i]));
  const apart = rounds.map(({ base, control }) =>
    Math.abs(Math.log(control[figure] / base[figure])),
  );
  const noise = Math.max(LEAST_NOISE, Math.expm1(Math.max(...apart)));
  return {
    base: median(base),
    candidate: median(all('candidate')),
    ratio,
    noise,
    real: calm && rounds.length > 1 && Math.abs(Math.log(ratio)) > Math.log1p(noise),
  };
}

/** One row of the report. */
export function summarize(scenario, rounds) {
  const { used, discarded, enough } = choose(rounds);
  const figures = ['rate', 'cpu', 'cpuMain', 'seconds', 'p50', 'p99'];
  const of = (arm, figure) => median(used.map((round) => round[arm][figure]));
  return {
    name: scenario.name,
    group: scenario.group,
    unit: scenario.unit,
    rounds: used.length,
    discarded,
    calm: enough,
    ...Object.fromEntries(figures.map((figure) => [figure, compare(used, figure, enough)])),
    osCalls: of('candidate', 'osCalls'),
    wakeups: of('candidate', 'wakeups'),
    loadCores: { base: of('base', 'loadCores'), candidate: of('candidate', 'loadCores') },
    serverCores: { base: of('base', 'serverCores'), candidate: of('candidate', 'serverCores') },
    foreignCores: median(used.flatMap((round) => Object.values(round).map((r) => r.foreignCores))),
  };
}

// Plays the scenarios one after the other. The arms of one have a process each, warmed up at the
// scenario's own load; then they have their windows in turns, from the one and from the other end.
import { performance } from 'node:perf_hooks';
import { measure, openServer, playWindow, warmUp } from './measure.mjs';
import { isCalm } from './statistics.mjs';

/** More than asked for, where other programs disturbed too many. */
const EXTRA_ROUNDS = 2;
/** Needed for a noise that deserves the name. */
const LEAST_ROUNDS = 2;

const CORES = {
  apart: { serverCore: 0, loadCore: 1 },
  together: { serverCore: 0, loadCore: 0 },
  anywhere: {},
};

/** Where server and load really run: a machine that cannot pin leaves them anywhere. */
export const placementOf = ({ placement }, { canPin }) => (canPin ? placement : 'anywhere');

/**
 * Which module serves in each arm, and with what load. Ours is compared with node:net, but in the
 * company of others with itself.
 */
function armsOf({ load, others, peers: wantsPeers, server }, arms) {
  if (others) {
    const ours = arms.candidate;
    return {
      base: { arm: ours, load },
      candidate: { arm: ours, load: { ...load, ...others } },
      control: { arm: ours, load },
    };
  }
  const { peers, ...pair } = arms;
  const wanted = wantsPeers ? peers.filter(({ serves }) => serves.includes(server)) : [];
  const named = [...Object.entries(pair), ...wanted.map((arm) => [arm.name, arm])];
  return Object.fromEntries(named.map(([name, arm]) => [name, { arm, load }]));
}

/** The name of each arm of a scenario's rounds, as the report shows it. */
export function armNames(scenario, arms) {
  if (scenario.others) return { base: 'alone', candidate: arms.candidate.name };
  const peers = Object.entries(armsOf(scenario, arms)).filter(([, { arm }]) => arm.program);
  return {
    base: arms.base.name,
    candidate: arms.candidate.name,
    ...Object.fromEntries(peers.map(([name]) => [name, name])),
  };
}

/** The sides of a scenario: how each is warmed up once, has its windows, and ends. */
class Side {
  #scenario;
  #settings;
  #server;

  constructor(scenario, { arm, load }, settings) {
    this.#scenario = scenario;
    this.#settings = settings;
    this.arm = arm;
    this.load = load;
  }

  async open() {
    if (this.#scenario.fresh) return;
    this.#server = await openServer(this.#scenario, this.arm, this.#settings);
  }

  async warmUp() {
    if (this.#server) await warmUp(this.#server, this.load, this.arm, this.#settings);
  }

  window() {
    if (this.#server) {
      return playWindow(this.#server, this.#scenario, this.load, this.#settings);
    }
    const { load, arm } = this;
    return measure({ ...this.#scenario, load }, arm, { ...this.#settings, warm: 0 });
  }

  async close() {
    await this.#server?.stop();
  }
}

/** What fails says which arm it was. */
async function blaming(side, promise) {
  try {
    return await promise;
  } catch (error) {
    error.arm = side.arm.name;
    throw error;
  }
}

/** Messages per second: a share of what the slower of the two can. */
async function shareOfSaturation(share, { base, candidate }) {
  const rates = [];
  for (const side of [base, candidate]) {
    await blaming(side, side.warmUp());
    rates.push((await blaming(side, side.window())).rate);
  }
  return Math.round(share * Math.min(...rates));
}

async function prepare(scenario, sides) {
  const all = Object.values(sides);
  for (const side of all) await blaming(side, side.open());
  const { share, ...load } = scenario.load;
  if (share) {
    for (const side of all) side.load = load;
    const rate = await shareOfSaturation(share, sides);
    for (const side of all) side.load = { ...load, rate };
  }
  for (const side of all) await blaming(side, side.warmUp());
}

async function playRound(sides, order) {
  const runs = {};
  for (const name of order) runs[name] = await blaming(sides[name], sides[name].window());
  return runs;
}

/** As many rounds as wanted or there is time for, but two. */
async function playScenario(scenario, arms, { rounds, deadline, settings }) {
  const placed = { ...settings, ...CORES[placementOf(scenario, settings)] };
  const sides = Object.fromEntries(
    Object.entries(armsOf(scenario, arms)).map(([name, each]) => [
      name,
      new Side(scenario, each, placed),
    ]),
  );
  const names = Object.keys(sides);
  const least = Math.min(LEAST_ROUNDS, rounds);
  const played = [];
  const isEnough = () =>
    played.length >= rounds &&
    (played.length >= rounds + EXTRA_ROUNDS || played.filter(isCalm).length >= least);
  try {
    await prepare(scenario, sides);
    while (!isEnough() && (played.length < least || performance.now() < deadline)) {
      played.push(await playRound(sides, played.length % 2 === 0 ? names : names.toReversed()));
    }
    return played;
  } finally {
    for (const side of Object.values(sides)) await side.close();
  }
}

/**
 * Resolves with what failed. Fills `results`: a list of rounds for each scenario. `budget` is in
 * seconds for all; each scenario has its share, and what others left of theirs.
 */
export async function playScenarios(scenarios, { arms, rounds, budget, settings, results, log }) {
  const failures = [];
  const end = performance.now() + budget * 1000;
  for (const [at, scenario] of scenarios.entries()) {
    const now = performance.now();
    const deadline = now + (end - now) / (scenarios.length - at);
    log(`${at + 1} of ${scenarios.length}: ${scenario.name}`);
    try {
      results.set(scenario, await playScenario(scenario, arms, { rounds, deadline, settings }));
    } catch (error) {
      failures.push(`${scenario.name}, ${error.arm}: ${error.message}`);
      log(failures.at(-1));
    }
  }
  return failures;
}

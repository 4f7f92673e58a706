// Plays the rounds: all arms of a scenario one after the other, in turns from the one and from the
// other end, each in a fresh process.
import { performance } from 'node:perf_hooks';
import { measure } from './measure.mjs';
import { isCalm } from './statistics.mjs';

const EXTRA_ROUNDS = 2;

const secondsSince = (begin) => (performance.now() - begin) / 1000;

/** Resolves with what failed. Fills `results`: a list of rounds for each scenario. */
export async function playRounds(scenarios, { arms, rounds, budget, settings, results, log }) {
  const failures = [];
  const failed = new Set();
  const begin = performance.now();
  let longest = 0;
  for (let round = 0; round < rounds + EXTRA_ROUNDS; round += 1) {
    const calmEnough = (scenario) =>
      results.get(scenario).filter(isCalm).length >= Math.min(2, rounds);
    const due = scenarios.filter(
      (scenario) => !failed.has(scenario) && (round < rounds || !calmEnough(scenario)),
    );
    const elapsed = secondsSince(begin);
    if (due.length === 0) break;
    // The first two are needed for a noise that deserves the name.
    const expected = (longest * due.length) / scenarios.length;
    if (round >= Math.min(2, rounds) && elapsed + expected > budget) {
      log(`no time for round ${round + 1}`);
      break;
    }
    for (const scenario of due) {
      if (round > 0 && secondsSince(begin) > budget) break;
      log(`round ${round + 1}: ${scenario.name}`);
      try {
        results.get(scenario).push(await playScenario(scenario, arms, round, settings));
      } catch (error) {
        failed.add(scenario);
        failures.push(`${scenario.name}, ${error.arm}: ${error.message}`);
        log(failures.at(-1));
      }
    }
    longest = Math.max(longest, secondsSince(begin) - elapsed);
  }
  return failures;
}

/** Where the server and the load of this scenario run; the user may insist on one for all. */
export const isPinned = ({ placement }, { pin, canPin }) =>
  canPin && (pin ?? placement === 'apart');

const place = (scenario, settings) =>
  isPinned(scenario, settings) ? { ...settings, serverCore: 0, loadCore: 1 } : settings;

/**
 * Which module serves in each arm, and with what load. Ours is compared with node:net, but in the
 * company of others with itself.
 */
function armsOf(scenario, arms) {
  const { load, others } = scenario;
  if (others) {
    const ours = arms.candidate;
    return {
      base: { arm: ours, load },
      candidate: { arm: ours, load: { ...load, ...others } },
      control: { arm: ours, load },
    };
  }
  const { peers, ...pair } = arms;
  const wanted = scenario.peers
    ? peers.filter((peer) => peer.serves.includes(scenario.server))
    : [];
  return {
    ...Object.fromEntries(Object.entries(pair).map(([name, arm]) => [name, { arm, load }])),
    ...Object.fromEntries(wanted.map((arm) => [arm.name, { arm, load }])),
  };
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

/** A share of what the slower of the two can, in messages per second: the same for all rounds. */
async function paced(scenario, arms, settings) {
  const { share, ...load } = scenario.load;
  const rates = [];
  for (const arm of [arms.base, arms.candidate]) {
    rates.push((await measure({ ...scenario, load }, arm, settings)).rate);
  }
  return Math.round(share * Math.min(...rates));
}

async function playScenario(scenario, arms, round, settings) {
  const placed = place(scenario, settings);
  if (scenario.load.share) scenario.load.rate ??= await paced(scenario, arms, placed);
  const entries = Object.entries(armsOf(scenario, arms));
  if (round % 2 === 1) entries.reverse();
  const runs = {};
  for (const [name, { arm, load }] of entries) {
    try {
      runs[name] = await measure({ ...scenario, load }, arm, placed);
    } catch (error) {
      error.arm = arm.name;
      throw error;
    }
  }
  return runs;
}

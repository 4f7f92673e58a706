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

async function playScenario(scenario, arms, round, settings) {
  const names = ['base', 'candidate', 'control'];
  if (round % 2 === 1) names.reverse();
  const runs = {};
  for (const name of names) {
    try {
      runs[name] = await measure(scenario, arms[name], settings);
    } catch (error) {
      error.arm = arms[name].name;
      throw error;
    }
  }
  return runs;
}

// Plays the rounds of all workloads, and says what of it is noise.
import { performance } from 'node:perf_hooks';
import { Daemon } from '../../test/programs/daemons/daemon.mjs';
import { compare } from '../statistics.mjs';
import { verdict } from '../verdict.mjs';
import { startSide } from './measure.mjs';

/** node:net twice: what the two differ by is noise. */
const arms = [
  ['base', false],
  ['candidate', true],
  ['control', false],
];
const leastRounds = 2;

const nameOf = ({ name, much }, lanes) =>
  `${name}, ${lanes === undefined ? much : `${lanes} under way`}`;

function summarize(workload, lanes, rounds) {
  const figure = (key) => compare(rounds, key, true);
  const [rate, cpu, cpuMain] = [figure('rate'), figure('cpu'), figure('cpuMain')];
  const { title, unit } = workload;
  const figures = { rate, cpu, cpuMain, verdict: verdict('program', rounds, true) };
  return { name: nameOf(workload, lanes), title, lanes, unit, ...figures, rounds };
}

/** Each arm has a process of its own, warmed up with the very load; then they take turns. */
async function playLoad(workload, { rounds, deadline, warm, seconds, ...settings }) {
  const sides = {};
  const played = [];
  try {
    for (const [name, isOurs] of arms) {
      sides[name] = await startSide(workload, { ...settings, isOurs });
    }
    for (const [name] of arms) await sides[name].run(warm);
    for (let round = 0; round < rounds; round++) {
      if (round >= leastRounds && performance.now() > deadline) break;
      const runs = {};
      // In turns from the one and from the other end.
      for (const [name] of round % 2 === 0 ? arms : arms.toReversed()) {
        runs[name] = await sides[name].run(seconds);
      }
      played.push(runs);
    }
    return played;
  } finally {
    for (const side of Object.values(sides)) side.stop();
  }
}

/**
 * @param {{ workload: object, loads: (number | undefined)[] }[]} wanted  how much is under way at a
 *   time; undefined: as much as the load says
 * @param {object} settings
 * @param {number} settings.rounds
 * @param {number} settings.budget  seconds for all; each load has its share, and what others left
 * @returns rows of the table, and what failed
 */
export async function play(wanted, { budget, log, ...settings }) {
  const [rows, failures] = [[], []];
  const end = performance.now() + budget * 1000;
  let left = wanted.flatMap(({ loads }) => loads).length;

  async function playOne(workload, lanes, daemon) {
    const now = performance.now();
    const deadline = now + (end - now) / left--;
    log(nameOf(workload, lanes));
    try {
      const rounds = await playLoad(workload, { ...settings, deadline, lanes, daemon });
      rows.push(summarize(workload, lanes, rounds));
    } catch (error) {
      failures.push(`${nameOf(workload, lanes)}: ${error.message}`);
      log(failures.at(-1));
    }
  }

  for (const { workload, loads } of wanted) {
    let daemon;
    try {
      daemon = workload.daemon && (await Daemon.start(workload.daemon));
      for (const lanes of loads) await playOne(workload, lanes, daemon);
    } catch (error) {
      failures.push(`${workload.name}: ${error.message}`);
      log(failures.at(-1));
    } finally {
      await daemon?.remove();
    }
  }
  return { rows, failures };
}

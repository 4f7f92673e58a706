// Plays the rounds of all workloads, and says what of it is noise.
import { performance } from 'node:perf_hooks';
import { Daemon } from '../../test/programs/daemons/daemon.mjs';
import { compare } from '../statistics.mjs';
import { playRound } from './measure.mjs';

/** node:net twice: what the two differ by is noise. */
const arms = [
  ['base', false],
  ['candidate', true],
  ['control', false],
];

function summarize({ name, title, unit }, rounds) {
  const figure = (key) => compare(rounds, key, true);
  const [rate, cpu, cpuMain] = [figure('rate'), figure('cpu'), figure('cpuMain')];
  return { name, title, unit, rate, cpu, cpuMain, rounds };
}

/** All rounds of one workload, as many as there is time for, but two. */
async function playWorkload(workload, { rounds, deadline, ...settings }) {
  const { daemon: spec } = workload;
  const daemon = spec && (await Daemon.start(spec));
  const played = [];
  try {
    for (let round = 0; round < rounds; round++) {
      if (round >= 2 && performance.now() > deadline) break;
      // In turns from the one and from the other end.
      const order = round % 2 === 0 ? arms : arms.toReversed();
      played.push(await playRound(workload, order, { ...settings, daemon }));
    }
    return played;
  } finally {
    await daemon?.remove();
  }
}

/**
 * @param {object[]} workloads
 * @param {object} settings
 * @param {number} settings.rounds
 * @param {number} settings.budget  seconds for all; each workload has its share, and what others left
 * @returns rows of the table, and what failed
 */
export async function play(workloads, { budget, log, ...settings }) {
  const [rows, failures] = [[], []];
  const end = performance.now() + budget * 1000;
  for (const [at, workload] of workloads.entries()) {
    const share = (end - performance.now()) / (workloads.length - at);
    const deadline = performance.now() + share;
    log(workload.name);
    try {
      const rounds = await playWorkload(workload, { ...settings, deadline });
      rows.push(summarize(workload, rounds));
    } catch (error) {
      failures.push(`${workload.name}: ${error.message}`);
      log(failures.at(-1));
    }
  }
  return { rows, failures };
}

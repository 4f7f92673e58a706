// node:net and iocp-net side by side: the same server, the same load, the same Node.
//
//   npm run bench -- [--quick] [--only WORD]... [--rounds N] [--node PATH] [--pin | --no-pin]
//                    [--candidate MODULE] [--json FILE] [--update-readme]
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtin, candidate, startServer } from './arms.mjs';
import * as report from './report.mjs';
import { playRounds } from './rounds.mjs';
import { scenarios } from './scenarios.mjs';
import { summarize } from './statistics.mjs';
import { buildLoad, canPin, wrk } from './tools.mjs';

const usage = `npm run bench -- [option...]

  --quick           a first look in under a minute; otherwise under five
  --only WORD       only what is named so: echo, storm, bulk, http, wrk, 'echo, 64' (and again)
  --rounds N        rounds, as many as there is time for (default 3, with --quick 2)
  --node PATH       the Node to run the servers with
  --pin, --no-pin   server on core 0, load on core 1, or both wherever the system puts them
  --candidate M     any module with net's API instead of iocp-net; node:net shows the noise
  --json FILE       every run, for further study
  --update-readme   writes the table into README.md`;

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    pin: { type: 'boolean', default: false },
    candidate: { type: 'string' },
    json: { type: 'string' },
    'update-readme': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const log = (text) => console.error(`# ${text}`);

function chooseScenarios() {
  const chosen = scenarios(options);
  if (chosen.length === 0) throw new Error(`nothing to run is named ${options.only.join(', ')}`);
  const usable = chosen.filter(({ load }) => load.tool !== 'wrk' || wrk);
  const skipped = [];
  if (usable.length < chosen.length) skipped.push('wrk is not installed, so its line is missing.');
  if (options.quick) skipped.push('A quick look: short windows, few rounds, a smaller storm.');
  return { usable, skipped };
}

/** What the candidate really runs on: node:net under another name would prove nothing. */
async function describe(arm, settings) {
  const server = await startServer('echo', arm, settings);
  await server.stop();
  if (server.backend === 'node') throw new Error('iocp-net fell back to node:net: see the warning');
  return { node: server.node, backend: server.backend };
}

async function main() {
  if (options.help) return console.log(usage);
  if (process.platform !== 'linux') {
    throw new Error('the load generator and the CPU readings need Linux');
  }
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 3));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a whole number');
  if (options.pin && !canPin) throw new Error('--pin needs taskset and two cores');

  const { quick, pin } = options;
  const settings = {
    node: options.node,
    pinned: pin,
    serverCore: pin ? 0 : undefined,
    loadCore: pin ? 1 : undefined,
    warm: quick ? 0.25 : 0.6,
    seconds: quick ? 0.5 : 1.5,
    loadProgram: buildLoad(),
  };
  const arms = { base: builtin, candidate: candidate(options.candidate), control: builtin };
  const { usable, skipped } = chooseScenarios();
  const facts = await describe(arms.candidate, { node: options.node });
  const results = new Map(usable.map((scenario) => [scenario, []]));
  const budget = quick ? 52 : 280;
  const failures = await playRounds(usable, { arms, rounds, budget, settings, results, log });

  const rows = [...results]
    .filter(([, played]) => played.length > 0)
    .map(([scenario, played]) => summarize(scenario, played));
  const text = [
    report.machine({ ...facts, settings }),
    report.table(rows, arms, settings),
    report.asList(report.notes(rows, skipped, settings)),
  ].join('\n\n');
  console.log(text);

  if (options.json) {
    const runs = [...results].map(([{ name }, played]) => ({ name, rounds: played }));
    const { warm, seconds, pinned } = settings;
    const how = { machine: report.machine({ ...facts, settings }), warm, seconds, pinned };
    const all = { ...how, rows, runs };
    writeFileSync(resolve(options.json), `${JSON.stringify({ ...all, failures }, null, 2)}\n`);
  }
  if (failures.length > 0) {
    console.error(`\nFailed:\n${report.asList(failures)}`);
    process.exitCode = 1;
  } else if (options['update-readme']) {
    const readme = join(import.meta.dirname, '../README.md');
    if (!report.updateBetweenMarkers(readme, text)) log('README.md has no bench markers');
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

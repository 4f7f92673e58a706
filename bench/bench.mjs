// node:net and iocp-net side by side: the same server, the same load, the same Node; and what other
// servers do with that load.
//
//   npm run bench -- [--quick] [--only NAME]... [--rounds N] [--node PATH]
//                    [--pin | --no-pin | --one-core] [--candidate MODULE] [--no-peers]
//                    [--portable] [--json FILE] [--update-docs]
//
// Ends with 0 where no load is worse than node:net beyond the noise, with 2 where one is or the
// machine was too busy to say, with 1 where something failed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtin, candidate, startServer } from './arms.mjs';
import { callTool } from './calls.mjs';
import { isPortable } from './portable.mjs';
import { findPeers } from './peers.mjs';
import * as report from './report.mjs';
import { armNames, placementOf, playScenarios } from './rounds.mjs';
import { scenarios } from './scenarios.mjs';
import { phrasesOf } from './selection.mjs';
import { summarize } from './statistics.mjs';
import { buildLoad, canPin, fileLimit, find, wrk } from './tools.mjs';
import { exitCode, summary } from './verdict.mjs';

const usage = `npm run bench -- [option...]

  --quick           a first look in three minutes; all of it takes up to 30
  --only NAME       only what has these words in its name, one after the other, or is of this kind:
                    'echo 1', 'wrk -c 8', 'one core', '4 KiB'; echo, paced, churn, storm, bulk,
                    idle, company, http, calls. Several: 'echo 1,echo 8', or again
  --list            the names
  --rounds N        windows of each arm, as many as there is time for (default 3, with --quick 2)
  --node PATH       the Node to run the servers with
  --pin, --no-pin, --one-core
                    server on core 0 and load on core 1, or both wherever the system puts them, or
                    both on core 0; by default what each line of the table says
  --candidate M     any module with net's API instead of iocp-net; node:net shows the noise
  --no-peers        node:net and ours alone, without Bun (on PATH or in $BUN) and the C++ servers,
                    as with --quick
  --portable        a load in JavaScript instead of the one in C++, and no reading of /proc: what is
                    used on any system but Linux. Plays echoes and autocannon; the load is slower
                    than the server, so look at the CPU time
  --json FILE       every run, for further study and for npm run bench:pictures; otherwise
                    bench/results/latest.json
  --update-docs     writes the tables into docs/benchmarks.md`;

/** V8's compiler threads are at work so long, and their CPU time would count as the server's. */
const WARM_SECONDS = 5;

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    list: { type: 'boolean', default: false },
    pin: { type: 'boolean' },
    'one-core': { type: 'boolean', default: false },
    candidate: { type: 'string' },
    peers: { type: 'boolean', default: true },
    portable: { type: 'boolean', default: process.platform !== 'linux' },
    json: { type: 'string', default: join(import.meta.dirname, 'results/latest.json') },
    'update-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const log = (text) => console.error(`# ${text}`);

/** What this machine lacks for a scenario, or nothing. */
function lacking({ load, files, group, placement }) {
  if (placement === 'together' && !canPin) return 'one core for both needs taskset';
  if (placement === 'anywhere' && !canPin && options.pin === undefined) {
    return 'nothing is pinned here in any case';
  }
  if (options.portable && !(isPortable(load) && ['echo', 'http'].includes(group))) {
    return 'it needs the load generator in C++, or wrk, and readings of /proc';
  }
  if (load.secure && !find('openssl')) return 'openssl is not installed';
  if (load.tool === 'wrk' && !wrk) return 'wrk is not installed';
  if (files > fileLimit()) return `a process may open only ${fileLimit()} files (ulimit -Hn)`;
  if (group === 'calls' && !callTool()) return 'neither perf nor strace can count them';
  return undefined;
}

function placement() {
  if (options['one-core']) return 'together';
  if (options.pin === undefined) return undefined;
  return options.pin ? 'apart' : 'anywhere';
}

function namedScenarios() {
  const only = phrasesOf(options.only);
  const chosen = scenarios({ quick: options.quick, only, placement: placement() });
  if (chosen.length === 0) throw new Error(`nothing to run is named ${options.only.join(', ')}`);
  return chosen;
}

function chooseScenarios() {
  const chosen = namedScenarios();
  const skipped = [];
  const usable = chosen.filter((scenario) => {
    const reason = lacking(scenario);
    if (reason) skipped.push(`“${scenario.name}” is left out: ${reason}.`);
    return !reason;
  });
  if (options.portable) {
    skipped.push('The load is JavaScript: throughput and latency are the load’s as much.');
  }
  if (!canPin) skipped.push('Nothing is pinned: that needs taskset and two cores.');
  if (options.quick) skipped.push('A quick look: short windows, few rounds, few loads.');
  return { usable, skipped };
}

/** What the candidate really runs on: node:net under another name would prove nothing. */
async function describe(arm, settings) {
  const server = await startServer('echo', arm, settings);
  await server.stop();
  if (server.backend === 'node') throw new Error('iocp-net fell back to node:net: see the warning');
  return { node: server.node, backend: server.backend };
}

function checkOptions() {
  if (process.platform !== 'linux' && !options.portable) {
    throw new Error('the load generator in C++ and the CPU readings need Linux');
  }
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 3));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a whole number');
  const pins = options.pin || options['one-core'];
  if (pins && !canPin) throw new Error('--pin and --one-core need taskset and two cores');
  return rounds;
}

function keep(facts, settings, { rows, results, failures }) {
  const file = resolve(options.json);
  const runs = [...results].map(([{ name }, played]) => ({ name, rounds: played }));
  const { warm, seconds } = settings;
  mkdirSync(dirname(file), { recursive: true });
  const all = { machine: report.machine(facts), ...facts, warm, seconds, rows, runs, failures };
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  log(`kept in ${file}`);
}

async function main() {
  if (options.help) return console.log(usage);
  if (options.list)
    return console.log(
      namedScenarios()
        .map(({ name }) => name)
        .join('\n'),
    );
  const rounds = checkOptions();
  const { quick } = options;
  const settings = {
    node: options.node,
    canPin,
    warm: WARM_SECONDS,
    seconds: quick ? 0.6 : 1.5,
    loadProgram: options.portable ? undefined : buildLoad(),
  };
  const { found: peers, missing } = findPeers(quick || !options.peers || options.portable);
  const arms = { base: builtin, candidate: candidate(options.candidate), control: builtin, peers };
  const { usable, skipped } = chooseScenarios();
  const facts = { ...(await describe(arms.candidate, { node: options.node })), peers };
  log(report.machine(facts));
  const results = new Map();
  const budget = quick ? 160 : 1740;
  const failures = await playScenarios(usable, { arms, rounds, budget, settings, results, log });

  const rows = [...results].map(([scenario, played]) => ({
    ...summarize(scenario, played, armNames(scenario, arms)),
    placement: placementOf(scenario, settings),
  }));
  const text = (all) =>
    [
      report.machine(facts),
      report.tables(rows, arms, { all }),
      report.asList(report.notes(rows, [...missing.map((each) => `${each}.`), ...skipped])),
    ].join('\n\n');
  console.log(`${text(true)}\n\n${summary(rows)}`);
  keep(facts, settings, { rows, results, failures });

  process.exitCode = failures.length > 0 ? 1 : exitCode(rows);
  if (failures.length > 0) {
    console.error(`\nFailed:\n${report.asList(failures)}`);
  } else if (options['update-docs']) {
    const page = join(import.meta.dirname, '../docs/benchmarks.md');
    if (!report.updateBetweenMarkers(page, 'bench', text(false))) {
      log('docs/benchmarks.md has no bench markers');
    }
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

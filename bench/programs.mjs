// The programs of test/programs under load, with and without iocp-net/register.
//
//   npm run bench:programs -- [--quick] [--only NAME]... [--under-way N]... [--rounds N]
//                             [--node 24] [--json FILE] [--update-docs]
//
// Ends with 0 where no row is worse than node:net beyond the noise, with 2 where one is, with 1 where
// something failed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeBinary } from '../scripts/node-versions.mjs';
import { installProgramPackages } from '../scripts/program-packages.mjs';
import { asList, machine } from './report.mjs';
import { wrk } from './tools.mjs';
import { exitCode, summary } from './verdict.mjs';

const usage = `npm run bench:programs -- [option...]

  --quick           a first look: two rounds, shorter, with much under way only, six minutes; all
                    of it takes 20
  --only NAME       only programs named so: express, ws, pg (and again)
  --under-way N     so many requests, messages or queries at a time, or 'much', which is as many as
                    the program's load says (and again; default 1, 8 and much)
  --rounds N        rounds, as many as there is time for, but two (default 3)
  --node VERSION    the Node to run programs and drivers with (default: this one)
  --json FILE       every run; otherwise bench/results/programs.json
  --update-docs     writes the ratios into the table of programs in docs/benchmarks.md`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    'under-way': { type: 'string', multiple: true },
    rounds: { type: 'string' },
    node: { type: 'string' },
    json: { type: 'string', default: join(import.meta.dirname, 'results/programs.json') },
    'update-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const log = (text) => console.error(`# ${text}`);

/** What this machine lacks for a workload, or nothing. */
function lacking({ load, daemon }) {
  if (load === 'wrk' && !wrk) return 'wrk is not installed';
  if (daemon && !daemon.server) return 'its server is not installed';
  return undefined;
}

async function chooseWorkloads() {
  const { workloads } = await import('./programs/workloads.mjs');
  const wanted = workloads.filter(
    ({ name }) => options.only?.some((part) => name.includes(part)) ?? true,
  );
  if (wanted.length === 0) throw new Error(`nothing to run is named ${options.only.join(', ')}`);
  for (const each of wanted.filter(lacking)) log(`without ${each.name}: ${lacking(each)}`);
  return wanted.filter((each) => !lacking(each));
}

function note(facts, rows) {
  const rounds = [...new Set(rows.map((row) => row.rounds.length))].sort().join(' to ');
  return (
    'The last three columns: throughput, CPU time per operation (all threads, and of these the ' +
    'JS thread) of the program, as ratios to the same on `node:net`, with as much under way as the ' +
    "program's load says (wrk: 64); a driver row's first driver. " +
    '± is the noise, what `node:net` differed from itself by; **bold** is beyond it. Program and ' +
    'load share the cores: where the load is the slower of the two, only the CPU time tells. ' +
    `Medians of ${rounds} rounds, \`npm run bench:programs\`. ${facts}.`
  );
}

/** How much is under way at a time; undefined for as much as the load itself says. */
function loads() {
  const words = options['under-way'] ?? (options.quick ? ['much'] : ['1', '8', 'much']);
  return words.map((word) => {
    if (word === 'much') return undefined;
    if (!/^[1-9]\d{0,3}$/.test(word)) throw new Error("--under-way takes a number or 'much'");
    return Number(word);
  });
}

async function main() {
  if (options.help) return console.log(usage);
  if (process.platform !== 'linux') throw new Error('the CPU readings need Linux');
  const { quick } = options;
  const rounds = Number(options.rounds ?? (quick ? 2 : 3));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a whole number');
  installProgramPackages();
  const usable = await chooseWorkloads();
  const { copyExamples } = await import('../test/programs/servers.mjs');
  const { play } = await import('./programs/play.mjs');
  copyExamples();

  const node = options.node === undefined ? process.execPath : nodeBinary('linux', options.node);
  const facts = machine({ node: options.node ?? process.versions.node, peers: [] });
  log(facts);
  const wanted = usable.map((workload) => ({ workload, loads: loads() }));
  const { rows, failures } = await play(wanted, {
    ...{ node, rounds, log },
    ...{ budget: quick ? 360 : 1200, warm: 5, seconds: quick ? 0.6 : 1 },
  });

  const { resultTable, updateDocs } = await import('./programs/table.mjs');
  console.log(`${facts}\n\n${resultTable(rows)}\n\n${summary(rows)}`);
  const file = resolve(options.json);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine: facts, rows, failures }, null, 2)}\n`);
  log(`kept in ${file}`);
  process.exitCode = failures.length > 0 ? 1 : exitCode(rows);
  if (failures.length > 0) {
    console.error(`\nFailed:\n${asList(failures)}`);
  } else if (options['update-docs']) {
    const shown = rows.filter(({ lanes }) => lanes === undefined);
    updateDocs(join(import.meta.dirname, '../docs/benchmarks.md'), shown, note(facts, shown));
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
// The target of the proxy would keep it.
process.exit();

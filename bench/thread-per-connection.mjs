// A thread for each connection beside node:net and iocp-net: how much each echoes with 1,000 and with
// 5,000 connections, and what becomes of them where the address space is limited.
//
//   npm run bench:threads -- [--connections LIST] [--bytes LIST] [--rounds N] [--seconds S]
//                            [--limit GIB] [--pin] [--node PATH] [--json FILE] [--update-docs]
//
// The threads run twice in each round; what these two arms are apart is the noise.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtin, candidate, startServer } from './arms.mjs';
import { openServer, playWindow, warmUp } from './measure.mjs';
import { threadsPeer } from './peers.mjs';
import { asList, machine, updateBetweenMarkers } from './report.mjs';
import { playScenarios } from './rounds.mjs';
import { PLACES, count } from './scenarios.mjs';
import { summarize } from './statistics.mjs';
import { draw, picture } from './threads-picture.mjs';
import { costTable, limitTable, memoryTable, notes, rateTable } from './threads-tables.mjs';
import { buildLoad, canPin, fileLimit, find } from './tools.mjs';

const usage = `npm run bench:threads -- [option...]

  --connections LIST  default 1000,5000
  --bytes LIST        of a message, default 64,4096,65536
  --rounds N          windows of each arm (default 3)
  --seconds S         of a window (default 1)
  --limit GIB         of address space for the servers of the last table (default 2)
  --pin               server on core 0 and load on core 1, not wherever the system puts them
  --node PATH         the Node to run the servers with
  --json FILE         every run; otherwise bench/results/threads.json
  --update-docs       writes the tables into docs/benchmarks.md, and draws the picture of them`;

const { values: options } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000,5000' },
    bytes: { type: 'string', default: '64,4096,65536' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    limit: { type: 'string', default: '2' },
    pin: { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    json: { type: 'string', default: join(import.meta.dirname, 'results/threads.json') },
    'update-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const log = (text) => console.error(`# ${text}`);

/** Until V8 has compiled the server's JavaScript. */
const WARM_SECONDS = 4;
/** For the whole first part. */
const BUDGET_SECONDS = 210;
/** Windows has 1 MiB, Linux 8 MiB. The last is about what this server can do with. */
const STACKS_KIB = [8192, 1024, 128];
const USUAL_STACK_KIB = 1024;

function numbers(name, least, most) {
  const list = options[name].split(',').map(Number);
  if (!list.every((each) => each >= least && each <= most)) {
    throw new Error(`--${name} takes numbers from ${least} to ${most}`);
  }
  return list;
}

const sizeOf = (bytes) => (bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`);

const nameOf = (connections, bytes, placement) =>
  [count(connections), sizeOf(bytes), PLACES[placement]].filter(Boolean).join(', ');

const scenariosOf = (connections, bytes, placement) =>
  bytes.flatMap((size) =>
    connections.map((each) => ({
      name: nameOf(each, size, placement),
      group: 'echo',
      server: 'echo',
      placement,
      peers: true,
      load: { mode: 'echo', connections: each, size },
    })),
  );

/** Rows as in the other tables. The base is the threads: the question is what they are left behind by. */
async function compareAll(scenarios, settings, rounds) {
  const threads = threadsPeer(USUAL_STACK_KIB);
  const arms = {
    base: threads,
    candidate: candidate(),
    control: threads,
    peers: [{ ...builtin, serves: ['echo'] }],
  };
  const names = { base: 'threads', candidate: 'iocp-net', [builtin.name]: builtin.name };
  const results = new Map();
  const failures = await playScenarios(scenarios, {
    ...{ arms, rounds, settings, results, log },
    budget: BUDGET_SECONDS,
  });
  if (failures.length > 0) throw new Error(failures.join('; '));
  return [...results].map(([scenario, played]) => ({
    ...summarize(scenario, played, names),
  }));
}

/** One window in a process of its own; of threads that ran out, how many there were. */
async function playLimited(scenario, arm, settings) {
  const server = await openServer(scenario, arm, settings);
  let failure;
  try {
    await warmUp(server, scenario.load, arm, settings);
    const { rate, cpu, peakBytes } = await playWindow(server, scenario, scenario.load, settings);
    return { rate, cpu, peakBytes };
  } catch (error) {
    failure = error;
  } finally {
    await server.stop();
  }
  const [, threads] = /^out of threads after (\d+)/m.exec(server.said?.() ?? '') ?? [];
  if (threads === undefined) throw failure;
  return { outOfThreads: Number(threads) };
}

async function limitAll(scenarios, settings, gibibytes) {
  const under = ['prlimit', `--as=${Math.round(gibibytes * 2 ** 30)}`];
  const arms = [...STACKS_KIB.map((stack) => threadsPeer(stack)), builtin, candidate()];
  const rows = [];
  for (const arm of arms) {
    const runs = [];
    for (const scenario of scenarios) {
      log(`${gibibytes} GiB of address space: ${arm.name}, ${scenario.name}`);
      runs.push(await playLimited(scenario, { ...arm, under }, settings));
    }
    rows.push({ name: arm.name, runs });
  }
  return rows;
}

function check(connections) {
  if (process.platform !== 'linux') throw new Error('the threads and the readings need Linux');
  const files = Math.max(...connections) + 100;
  if (files > fileLimit()) {
    throw new Error(`a process may open only ${fileLimit()} files (ulimit -Hn): ${files} needed`);
  }
  if (options.pin && !canPin) throw new Error('--pin needs taskset and two cores');
  if (!find('prlimit')) throw new Error('prlimit is not installed (util-linux)');
}

/** What Node says of itself, and that iocp-net has not fallen back to node:net. */
async function describe() {
  const server = await startServer('echo', candidate(), { node: options.node });
  await server.stop();
  if (server.backend === 'node') throw new Error('iocp-net fell back to node:net: see the warning');
  return { node: server.node, backend: server.backend, peers: [] };
}

async function main() {
  if (options.help) return console.log(usage);
  const connections = numbers('connections', 1, 15_000);
  const bytes = numbers('bytes', 1, 65_536);
  const [[rounds], [seconds], [limit]] = [
    numbers('rounds', 1, 20),
    numbers('seconds', 0.1, 10),
    numbers('limit', 0.25, 64),
  ];
  check(connections);
  const settings = {
    ...{ node: options.node, canPin, warm: WARM_SECONDS, seconds },
    loadProgram: buildLoad(),
  };
  const facts = machine(await describe());
  log(facts);
  const placement = options.pin ? 'apart' : 'anywhere';
  const rows = await compareAll(scenariosOf(connections, bytes, placement), settings, rounds);
  const largest = Math.max(...bytes);
  const limited = await limitAll(scenariosOf(connections, [largest], 'anywhere'), settings, limit);

  const results = { machine: facts, seconds, connections, rows, limit, limited, bytes: largest };
  const text = [facts, rateTable(rows), costTable(rows), memoryTable(rows), limitTable(results)]
    .concat(asList(notes(rows)))
    .join('\n\n');
  console.log(text);
  const file = resolve(options.json);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  log(`kept in ${file}`);
  if (!options['update-docs']) return;
  const page = join(import.meta.dirname, '../docs/benchmarks.md');
  if (!updateBetweenMarkers(page, 'threads', text)) {
    throw new Error('docs/benchmarks.md has no threads markers');
  }
  writeFileSync(picture, draw());
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

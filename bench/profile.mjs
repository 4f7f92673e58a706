// Where the JavaScript thread of our server spends its time under load.
//
//   node bench/profile.mjs [echo|sink|source|http] [--connections N] [--size BYTES] [--seconds S]
//                          [--candidate MODULE] [--node PATH] [--top N] [--all] [--pin]
//
// Native code counts for the function that called it. The I/O threads are not in it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { candidate } from './arms.mjs';
import { measure } from './measure.mjs';
import { buildLoad, canPin, wrk } from './tools.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: 'string', default: '64' },
    size: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    candidate: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    top: { type: 'string', default: '30' },
    all: { type: 'boolean', default: false },
    pin: { type: 'boolean', default: false },
  },
});

const kind = positionals[0] ?? 'echo';
const loads = {
  echo: { unit: 'message', mode: 'echo' },
  sink: { unit: 'GB', mode: 'send', group: 'bulk' },
  source: { unit: 'GB', mode: 'receive', group: 'bulk' },
  http: {
    unit: 'request',
    group: 'http',
    mode: 'http',
    tool: wrk ? 'wrk' : 'autocannon',
    pipelining: 1,
  },
};

const root = join(import.meta.dirname, '..');

/** A file as people name it: relative to the package, or Node's own as it is. */
function place({ url, lineNumber }) {
  if (!url) return '';
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  const shown = file.startsWith(root) ? relative(root, file) : file;
  return `${shown}:${lineNumber + 1}`;
}

/**
 * Microseconds by function, and their sum, over the window of the load: the start of the process
 * and what came before compilation are of no interest. Both clocks are CLOCK_MONOTONIC.
 */
function selfTimes({ nodes, samples, timeDeltas, startTime }, { begin, seconds }) {
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const functions = new Map();
  let total = 0;
  let count = 0;
  let now = startTime / 1e6;
  samples.forEach((id, i) => {
    now += timeDeltas[i] / 1e6;
    if (now < begin || now > begin + seconds) return;
    const frame = frames.get(id);
    if (frame.functionName === '(idle)') return;
    const where = place(frame);
    const key = `${frame.functionName || '(anonymous)'} ${where}`.trim();
    const known = functions.get(key) ?? { key, ours: /^(dist|bench)\//.test(where), micros: 0 };
    known.micros += timeDeltas[i];
    functions.set(key, known);
    total += timeDeltas[i];
    count += 1;
  });
  return { functions: [...functions.values()].sort((a, b) => b.micros - a.micros), total, count };
}

async function main() {
  if (!(kind in loads)) throw new Error(`no such server: ${kind}`);
  if (options.pin && !canPin) throw new Error('--pin needs taskset and two cores');
  const { group, unit, ...load } = loads[kind];
  const scenario = {
    group,
    server: kind,
    load: { ...load, connections: Number(options.connections), size: Number(options.size) },
  };
  const folder = mkdtempSync(join(tmpdir(), 'profile-'));
  try {
    const run = await measure(scenario, candidate(options.candidate), {
      node: options.node,
      nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'],
      serverCore: options.pin ? 0 : undefined,
      loadCore: options.pin ? 1 : undefined,
      warm: 5,
      seconds: Number(options.seconds),
      loadProgram: buildLoad(),
    });
    const [file] = readdirSync(folder);
    if (file === undefined) throw new Error('the server wrote no profile');
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    print(selfTimes(profile, run), run, unit);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print({ functions, total, count }, run, unit) {
  const time = unit === 'GB' ? 's' : 'µs';
  const cost = run.cpuMain.toFixed(2);
  const ours = functions.filter((each) => each.ours).reduce((sum, each) => sum + each.micros, 0);
  console.log(`${cost} ${time} of the JavaScript thread per ${unit}, the profiler's own included.`);
  console.log(
    `${((100 * ours) / total).toFixed(1)} % of its time in functions of the package, by ${count} samples.\n`,
  );
  console.log(`| self % | ${time} per ${unit} | function |\n| --: | --: | --- |`);
  const shown = functions.filter((each) => options.all || each.ours);
  for (const { key, micros } of shown.slice(0, Number(options.top))) {
    const share = micros / total;
    const each = (share * run.cpuMain).toFixed(3);
    console.log(`| ${(100 * share).toFixed(1)} | ${each} | ${key} |`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`profile: ${error.message}`);
  process.exitCode = 1;
}

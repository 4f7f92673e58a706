// What it costs that a program has the package, before it makes a socket:
//
//   node startup.mjs
//
// Prints JSON. Counted, for each way to load it: our files, the bytes of them that are compiled, and
// the modules of Node's beyond those of a program without. Beside the counts, and no count: CPU time
// and memory beyond such a program's, medians of a few processes. Both together for a worker.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

const ways = {
  register: ['--import', 'iocp-net/register'],
  'register, required': ['--require', 'iocp-net/register'],
  import: ['--import', 'iocp-net'],
};

// What asking loads itself is known, and stands in both.
const program = `
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  const modules = process.moduleLoadList.filter((each) => each.startsWith('NativeModule'));
  const { statSync } = require('node:fs');
  const ours = Object.keys(require.cache).filter((file) => file.startsWith(process.argv[1]));
  const bytes = ours.reduce((sum, file) => sum + statSync(file).size, 0);
  const cpu = (user + system) / 1000;
  console.log(JSON.stringify({ cpu, rss, modules, files: ours.length, bytes }));`;

const inWorker = `
  const { Worker } = require('node:worker_threads');
  const source = 'data:text/javascript,process.getBuiltinModule("worker_threads")' +
    '.parentPort.postMessage(process.memoryUsage().rss)';
  const measure = async () => {
    const before = { cpu: process.cpuUsage(), rss: process.memoryUsage().rss };
    const worker = new Worker(new URL(source));
    const rss = await new Promise((done) => worker.once('message', done));
    const { user, system } = process.cpuUsage(before.cpu);
    await worker.terminate();
    return { cpu: (user + system) / 1000, rss: rss - before.rss };
  };
  measure().then(measure).then((result) => console.log(JSON.stringify(result)));`;

const run = (flags, text) =>
  JSON.parse(
    execFileSync(process.execPath, [...flags, '-e', text, join(root, 'dist')], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: 30_000,
    }),
  );

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Alternately, so that both see the same machine. */
function timesBeyondPlain(flags, text, count) {
  const pairs = Array.from({ length: count }, () => [run([], text), run(flags, text)]);
  const beyond = (name) =>
    median(pairs.map(([, ours]) => ours[name])) - median(pairs.map(([plain]) => plain[name]));
  return { cpuMs: beyond('cpu'), memoryMiB: beyond('rss') / 2 ** 20 };
}

const plain = new Set(run([], program).modules);
const results = {};
for (const [name, flags] of Object.entries(ways)) {
  const { files, bytes, modules } = run(flags, program);
  results[name] = {
    files,
    bytes,
    nodesModules: modules.filter((each) => !plain.has(each)).length,
    beside: timesBeyondPlain(flags, program, 9),
  };
}
results['register, a worker'] = { beside: timesBeyondPlain(ways.register, inWorker, 5) };
console.log(JSON.stringify(results));

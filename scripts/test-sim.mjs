// Builds the core on its simulated system and runs scenarios: first those that
// once failed, then new ones by seed (deps/completion-port/test/sim); then those
// of sockets and servers, with the addon and JavaScript above the core (test/sim).
//
//   node scripts/test-sim.mjs [--scenarios N] [--seed S] [--resume FILE]
//   node scripts/test-sim.mjs --one SEED     one of them, and what happens in it
//   node scripts/test-sim.mjs --script FILE  those written in a file, likewise
//   node scripts/test-sim.mjs --js [--scenarios N] [--seed S]   sockets and servers alone
//   node scripts/test-sim.mjs --js --one NUMBER [--keep 0,3,4]  one of them, or some of its steps
//
// With --no-compile it runs what is in build and dist.
//
// With --resume it goes on where FILE says that it was stopped, and keeps the
// file up to date. `--sanitize address` builds with AddressSanitizer.
// Ends with "N passed, N failed".
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTarget, root } from './gyp.mjs';
import { showSockets, testSockets } from './simulated-sockets.mjs';
import { countTap } from './tap-count.mjs';

const BATCH = 2500; // scenarios of one process
const SOCKET_SCENARIOS = 900; // beside those of the core
const SPREAD = 1_000_000_007; // between the first scenarios of two seeds (main.cc)

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string' },
    seed: { type: 'string', default: '1' },
    resume: { type: 'string' },
    one: { type: 'string' },
    script: { type: 'string' },
    js: { type: 'boolean', default: false },
    keep: { type: 'string' },
    'no-compile': { type: 'boolean', default: false },
    sanitize: { type: 'string', default: 'none' },
  },
});
const { sanitize } = values;
const compile = !values['no-compile'];

if (values.js) {
  if (values.one !== undefined) {
    process.exit(showSockets({ number: values.one, keep: values.keep, compile }));
  }
  await runSockets(Number(values.scenarios ?? SOCKET_SCENARIOS), { passed: 0, failed: 0 });
  process.exit();
}

/** Ends with the sum of what was run before and this. */
async function runSockets(scenarios, before) {
  const began = Date.now();
  const count = await testSockets({ scenarios, seed: values.seed, compile });
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`seed ${values.seed}: ${scenarios} scenarios of sockets and servers (${seconds} s)`);
  const [passed, failed] = [before.passed + count.passed, before.failed + count.failed];
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || count.passed === 0 ? 1 : 0;
}

const simulation = buildTarget({
  target: 'completion_port_sim',
  out: sanitize === 'none' ? 'core' : `sanitize-${sanitize}`,
  defines: { sanitize, optimization: sanitize === 'none' ? '-O2' : '-O1' },
});

if (values.one !== undefined || values.script !== undefined) {
  const args =
    values.one !== undefined ? ['--one', values.one] : ['--script', values.script, '--print'];
  process.exit(spawnSync(simulation, args, { stdio: 'inherit' }).status ?? 1);
}

const wanted = Number(values.scenarios ?? 20_000);
const fresh = { seed: values.seed, done: 0, passed: 0, failed: 0 };
/** How far it has come. */
const progress =
  values.resume !== undefined && existsSync(values.resume)
    ? JSON.parse(readFileSync(values.resume, 'utf8'))
    : fresh;

function keep() {
  if (values.resume !== undefined) {
    writeFileSync(values.resume, `${JSON.stringify(progress)}\n`);
  }
}

/** Runs it; what fails is shown. */
function run(args) {
  return new Promise((resolve) => {
    execFile(simulation, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      process.stderr.write(stderr);
      const count = countTap(stdout, error ? (error.code ?? 128) : 0);
      if (count.failed > 0) console.log(stdout);
      const ended = /^seed (\d+) (?:crashes|does not end)$/m.exec(stdout)?.[1];
      resolve({ ...count, ended: ended === undefined ? undefined : Number(ended) });
    });
  });
}

/** Those from the `from`th on. One that takes the process along costs the others nothing. */
async function runBatch(from, count) {
  const total = { passed: 0, failed: 0 };
  for (let at = from; at < from + count;) {
    const left = from + count - at;
    const args = ['--scenarios', left, '--seed', progress.seed, '--from', at].map(String);
    const { passed, failed, ended } = await run(args);
    const last = ended === undefined ? from + count : ended - progress.seed * SPREAD;
    total.passed += ended === undefined ? passed : last - at;
    total.failed += failed;
    at = last + 1;
  }
  return total;
}

const kept = join(root, 'deps/completion-port/test/sim/regressions.txt');
const known = await run(['--script', kept]);
console.log(`what once failed: ${known.passed} passed, ${known.failed} failed`);

const started = Date.now();
while (progress.done < wanted) {
  const batches = [];
  for (let i = 0; i < availableParallelism() && progress.done < wanted; i += 1) {
    const count = Math.min(BATCH, wanted - progress.done);
    batches.push(runBatch(progress.done, count));
    progress.done += count;
  }
  for (const count of await Promise.all(batches)) {
    progress.passed += count.passed;
    progress.failed += count.failed;
  }
  keep();
}
console.log(
  `seed ${progress.seed}: ${progress.done} scenarios (${Math.round((Date.now() - started) / 1000)} s in this run)`,
);

const passed = known.passed + progress.passed;
const failed = known.failed + progress.failed;
// A run of many is one of the core.
const withSockets = values.scenarios === undefined && sanitize === 'none';
if (withSockets && passed > 0) await runSockets(SOCKET_SCENARIOS, { passed, failed });
else {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

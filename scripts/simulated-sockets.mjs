// Scenarios of sockets and servers, as programs see them, on the simulated system: the addon is
// linked with it (test/sim/native), and processes that go by its clock run test/sim. Part of
// scripts/test-sim.mjs, which says how it is called.
import { execFile, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { build } from './build.mjs';
import { buildTarget, root } from './gyp.mjs';

const SPREAD = 1_000_000; // between the first scenarios of two seeds
const BATCH = 60; // scenarios of one process
const PROCESS_SECONDS = 60;
const TRIES = 80; // to make a scenario simpler
const REPEATED_AFTER = 20; // scenarios, one is run again by itself
const MOST_FAILURES = 3; // of one batch

/** What the engine is like: of scenario N the one at N modulo their number. */
const setups = ['epoll', 'iocp', 'io_uring'].map((backend) => ({ IOCP_NET_BACKEND: backend }));

const flavour = { out: 'simulated', defines: { sanitize: 'none', optimization: '-O1' } };

/** Where somebody wants to know no more than whether one fails (scripts/test-mutants.mjs). */
const isBrief = env.TAP_BAIL === '1';

/** @param {{ compile?: boolean }} [options]  false: what is in build and dist is to be run */
export function prepareSockets({ compile = true } = {}) {
  if (compile) build({ tests: true, addon: false });
  buildTarget({ target: 'iocp_net_simulated', ...flavour });
  const clock = buildTarget({ target: 'iocp_net_simulated_clock', ...flavour });
  return { clock, addon: join(root, 'build', flavour.out) };
}

/** V8 does nothing beside, and sets no timer, so that a process goes the same way each time. */
const flags = [
  '--single-threaded',
  '--no-memory-reducer',
  '--random-seed=1',
  '--hash-seed=1',
  `--require=${join(root, 'build/test/support/tattling-pools.js')}`,
  join(root, 'build/test/sim/main.js'),
];

function environmentOf(number, { clock, addon }) {
  return {
    ...env,
    ...setups[number % setups.length],
    IOCP_NET_PREBUILD: addon,
    LD_PRELOAD: clock,
  };
}

/** What a process says of its scenarios: by number, the record of each, and of the last, how it failed. */
function run(number, args, made) {
  return new Promise((resolve) => {
    const options = {
      env: environmentOf(number, made),
      cwd: root,
      maxBuffer: 1 << 26,
      timeout: PROCESS_SECONDS * 1000,
      killSignal: 'SIGKILL',
    };
    execFile(execPath, [...flags, ...args], options, (error, stdout, stderr) => {
      const records = new Map();
      for (const [, one, record] of stdout.matchAll(/^ok - (\d+) (\w+)$/gm)) {
        records.set(Number(one), record);
      }
      const told = /^not ok - (\d+) (.*)$/m.exec(stdout);
      if (told) {
        return resolve({ records, failure: { number: Number(told[1]), ...JSON.parse(told[2]) } });
      }
      if (!error) return resolve({ records, failure: null });
      const what = error.killed ? 'it does not end' : 'the process ends';
      resolve({ records, failure: { what, where: stderr.slice(-2000), steps: 0 } });
    });
  });
}

const one = async (number, keep, made) => {
  const args = ['--one', String(number), ...(keep === undefined ? [] : ['--keep', keep.join()])];
  return run(number, args, made);
};

/** Fewer of its steps, as long as it fails in the same way. */
async function shrink(number, failure, made) {
  let kept = Array.from({ length: failure.steps }, (_, index) => index);
  let tries = 0;
  for (
    let part = Math.ceil(kept.length / 2);
    part >= 1;
    part = part === 1 ? 0 : Math.ceil(part / 2)
  ) {
    for (let at = kept.length - part; at > -part && tries < TRIES; at -= part) {
      const fewer = kept.filter((_, index) => index < at || index >= at + part);
      if (fewer.length === kept.length) continue;
      tries++;
      const { failure: then } = await one(number, fewer, made);
      if (then?.what === failure.what) kept = fewer;
    }
  }
  return kept;
}

async function report(number, failure, made) {
  console.log(`not ok - scenario ${number}: ${failure.what}\n  ${failure.where}`);
  if (isBrief) return;
  const again = await one(number, undefined, made);
  if (again.failure?.what !== failure.what) {
    console.log('  not when it runs alone: --js --scenarios, as before, repeats it');
    return;
  }
  const kept = failure.steps > 0 ? await shrink(number, failure, made) : undefined;
  const keep = kept === undefined ? '' : ` --keep ${kept.join()}`;
  console.log(`  npm run test:sim -- --js --one ${number}${keep}`);
}

/** Those from `from` on that share their setup. Each failure ends a process; the next goes on. */
async function runBatch(from, to, made) {
  const count = { passed: 0, failed: 0 };
  const every = setups.length;
  for (let at = from; at < to && count.failed < MOST_FAILURES;) {
    const args = ['--from', at, '--to', to, '--every', every].map(String);
    const { records, failure } = await run(at, args, made);
    count.passed += records.size;
    at += records.size * every;
    if (failure === null) break;
    count.failed++;
    await report(failure.number ?? at, failure, made);
    at += every;
  }
  return count;
}

/** That a scenario goes the same way by itself as among others. */
async function repeats(from, to, made) {
  const every = setups.length;
  const args = ['--from', from, '--to', to, '--every', every].map(String);
  const { records } = await run(from, args, made);
  const [number, record] = [...records].at(-1) ?? [from, ''];
  const { records: alone } = await one(number, undefined, made);
  const isSame = record !== '' && alone.get(number) === record;
  if (!isSame) console.log(`not ok - scenario ${number} goes another way when it runs alone`);
  return { passed: isSame ? 1 : 0, failed: isSame ? 0 : 1 };
}

/** @returns {Promise<{ passed: number, failed: number }>} */
export async function testSockets({ scenarios, seed, compile }) {
  const made = prepareSockets({ compile });
  const first = Number(seed) * SPREAD;
  const end = first + scenarios;
  const tasks = [];
  for (let at = first; at < end; at += BATCH * setups.length) {
    const to = Math.min(end, at + BATCH * setups.length);
    setups.forEach((_, index) => tasks.push(() => runBatch(at + index, to, made)));
  }
  setups.forEach((_, index) => {
    const from = first + index;
    tasks.push(() => repeats(from, from + REPEATED_AFTER * setups.length, made));
  });
  const total = { passed: 0, failed: 0 };
  const worker = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      if (isBrief && total.failed > 0) return;
      const { passed, failed } = await task();
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return total;
}

/** One scenario, and what happens in it. @returns {number} the exit code */
export function showSockets({ number, keep, compile }) {
  const made = prepareSockets({ compile });
  const args = ['--one', number, '--print', ...(keep === undefined ? [] : ['--keep', keep])];
  const { status } = spawnSync(execPath, [...flags, ...args], {
    env: environmentOf(Number(number), made),
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
}

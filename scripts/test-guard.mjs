// Fails when a message or a start costs more than it did: counts, held against the ceilings in
// test/guard/ceilings.json. Counts do not depend on how fast or how busy a machine is.
//
//   node scripts/test-guard.mjs [--ceilings FILE]
//
// The core: basic blocks executed (the compiler counts them; valgrind cannot run io_uring, and
// most virtual machines have no counter of instructions), allocations, system calls. The package:
// bytes of the heap and of buffers, with a heap so large that nothing is collected, and the
// system calls of the driver. The start: what is loaded and compiled, with time and memory
// beside it, which have no ceiling. Ends with "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { buildTarget, root } from './gyp.mjs';

const { values } = parseArgs({
  options: { ceilings: { type: 'string', default: join(root, 'test/guard/ceilings.json') } },
});

const output = (file, args) =>
  JSON.parse(execFileSync(file, args, { cwd: root, encoding: 'utf8', timeout: 60_000 }));

function countCore() {
  const target = 'completion_port_guard';
  const program = buildTarget({ target, out: 'guard', defines: { sanitize: 'blocks' } });
  const { messages, ...counts } = output(program, ['20000']);
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [name, count / messages]),
  );
}

function countPackage() {
  build({});
  const counted = output(process.execPath, [
    // No collection, and no other thread of V8's whose objects would be counted.
    ...['--min-semi-space-size=256', '--max-semi-space-size=256', '--single-threaded'],
    ...[join(root, 'test/guard/load.cjs'), '--report'],
    ...['--warm', '5000', '--echo', '20000', '--http', '8000'],
  ]);
  if (counted.collections > 0) throw new Error('garbage was collected: the bytes mean nothing');
  return counted;
}

/** What the package costs before it is used; named apart from what a message costs. */
function countStart() {
  const ways = output(process.execPath, [join(root, 'test/guard/startup.mjs')]);
  return Object.fromEntries(Object.entries(ways).map(([way, counts]) => [`start, ${way}`, counts]));
}

if (process.platform !== 'linux') throw new Error('the guard counts on Linux');

const counts = { 'core, echo': countCore(), ...countPackage(), ...countStart() };
const total = { passed: 0, failed: 0 };
for (const [load, ceilings] of Object.entries(JSON.parse(readFileSync(values.ceilings, 'utf8')))) {
  for (const [name, [ceiling, reason]] of Object.entries(ceilings)) {
    const count = counts[load]?.[name];
    const good = count <= ceiling; // not for undefined
    total[good ? 'passed' : 'failed'] += 1;
    const what = load.startsWith('start') ? name : `${name} per message`;
    const shown = `${load}: ${what}: ${Number(count?.toPrecision(4))}, at most ${ceiling}`;
    console.log(`${good ? 'ok' : 'not ok'} - ${shown}${good ? '' : ` (${reason})`}`);
  }
}
for (const [load, { beside }] of Object.entries(counts)) {
  if (beside === undefined) continue;
  const { cpuMs, memoryMiB } = beside;
  console.log(`${load}: ${cpuMs.toFixed(1)} ms and ${memoryMiB.toFixed(1)} MiB beyond plain Node`);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

// The Windows suite on Linux: core tests, then every test file in node.exe.
//
//   node scripts/test-windows.mjs [--node 22,24] [--no-core] [part of a file name…]
//
// Ends with "N passed, N failed"; fails when anything did or nothing ran.
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { crossBuildCoreTests } from './cross-build.mjs';
import { hasSources, root } from './gyp.mjs';
import { countTap, whatFailed } from './tap-count.mjs';
import { startsHundreds, startsPrograms, testFiles } from './test-files.mjs';
import { openWindows } from './windows-run.mjs';
import { openLoadedWindows } from './windows-session.mjs';

const secondsPerFile = 180;
const lanes = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', default: '22,24' },
    'no-core': { type: 'boolean', default: false },
  },
});

const total = { passed: 0, failed: 0 };

function report(name, result, started) {
  const count = countTap(result.stdout, result.code);
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const skipped = count.skipped ? `, ${count.skipped} skipped` : '';
  const again = result.retried ? ' (second try)' : '';
  const verdict = count.failed ? 'not ok' : 'ok';
  console.log(
    `${verdict} - ${name}: ${count.passed} passed, ${count.failed} failed${skipped} in ${seconds} s${again}`,
  );
  if (count.failed === 0) return;
  if (result.timedOut) console.log(`  timed out`);
  console.log(whatFailed(result.stdout).replace(/^/gm, '  | '));
  console.log(result.stderr.slice(-4000).replace(/^/gm, '  ! '));
}

build({ tests: true });
const core = !values['no-core'] && positionals.length === 0 && hasSources.core();
const coreTests = core ? crossBuildCoreTests() : null;

/** What is to run, by name. */
const programs = coreTests
  ? [['completion_port_test.exe', { exe: coreTests, timeout: 5 * secondsPerFile }]]
  : [];
const versions = values.node.split(',');
// What loads the machine for long does so with one version.
const isForAll = (file) =>
  positionals.length > 0 || !(startsPrograms(file) || file.startsWith('load/'));
for (const node of versions) {
  const isWanted = (file) =>
    positionals.every((part) => file.includes(part)) &&
    (positionals.length > 0 || !startsHundreds(file)) &&
    (node === versions.at(-1) || isForAll(file));
  for (const file of testFiles(isWanted)) {
    const program = { node, args: [file], timeout: secondsPerFile };
    programs.push([`Node ${node} ${relative(root, file)}`, program]);
  }
}

/** One program after the other, until none is left. */
async function runPrograms(windows) {
  try {
    for (let next = programs.shift(); next !== undefined; next = programs.shift()) {
      const [name, program] = next;
      const started = Date.now();
      report(name, await windows.run(program), started);
    }
  } finally {
    await windows.close();
  }
}

// They mostly wait: two sessions, each with a Wine server of its own.
const sessions = [];
for (let lane = 0; lane < lanes; lane++) {
  sessions.push(await (hasSources.addon() ? openLoadedWindows() : openWindows()));
}
await Promise.all(sessions.map(runPrograms));

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

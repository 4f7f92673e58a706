// The Windows suite on Linux: core tests, then every test file in node.exe.
//
//   node scripts/test-windows.mjs [--node 22,24] [--no-core] [part of a file name…]
//
// Ends with "N passed, N failed"; fails when anything did or nothing ran.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { crossBuildCoreTests } from './cross-build.mjs';
import { hasSources, root } from './gyp.mjs';
import { countTap } from './tap-count.mjs';
import { openWindows } from './windows-run.mjs';
import { openLoadedWindows } from './windows-session.mjs';

const secondsPerFile = 120;

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
  console.log(result.stdout.slice(-8000).replace(/^/gm, '  | '));
  console.log(result.stderr.slice(-4000).replace(/^/gm, '  ! '));
}

function testFiles() {
  const folder = join(root, 'build/test');
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  return all
    .filter((file) => /\.test\.[cm]?js$/.test(file))
    .filter((file) => positionals.every((part) => file.includes(part)))
    .map((file) => join(folder, file))
    .sort();
}

build({ tests: true });
const core = !values['no-core'] && positionals.length === 0 && hasSources.core();
const coreTests = core ? crossBuildCoreTests() : null;

const windows = await (hasSources.addon() ? openLoadedWindows() : openWindows());
try {
  if (coreTests) {
    const started = Date.now();
    const result = await windows.run({ exe: coreTests, timeout: 5 * secondsPerFile });
    report('completion_port_test.exe', result, started);
  }
  for (const node of values.node.split(',')) {
    for (const file of testFiles()) {
      const started = Date.now();
      const options = { node, args: [file], timeout: secondsPerFile };
      report(`Node ${node} ${relative(root, file)}`, await windows.run(options), started);
    }
  }
} finally {
  await windows.close();
}

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

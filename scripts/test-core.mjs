// Builds and runs the core tests, optionally with sanitizers.
//
//   node scripts/test-core.mjs [--sanitize address|thread] [--folders net,engine]
//
// With `address` (AddressSanitizer and UndefinedBehaviorSanitizer) the tests of
// the package also run, in a Node that loads the sanitizer before everything: a
// newer one than that of `npm test`, so that both are seen; or only those in
// some folders of test.
// Ends with "N passed, N failed".
import { execFile, execFileSync } from 'node:child_process';
import { join, sep } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from './build.mjs';
import { buildTarget, hasSources, root } from './gyp.mjs';
import { nodeBinary } from './node-versions.mjs';
import { countTap, whatFailed } from './tap-count.mjs';
import { measuresMemory, startsPrograms, testFiles } from './test-files.mjs';

const { values } = parseArgs({
  options: { sanitize: { type: 'string', default: 'none' }, folders: { type: 'string' } },
});
const { sanitize } = values;
const folders = values.folders?.split(',');
const out = sanitize === 'none' ? 'core' : `sanitize-${sanitize}`;
// Checks in the code are optimized like the code, for minutes; -O1 finds the same, and -O0 in the
// tests, which are larger.
const optimizations =
  sanitize === 'none'
    ? { optimization: '-O2' }
    : { optimization: '-O1', optimization_of_tests: '-O0' };
const flavour = { out, defines: { sanitize, ...optimizations } };

const NODE_OF_SUITE = 24;

const total = { passed: 0, failed: 0 };

// Node never frees everything at exit, so leaks are not counted in it; and freed memory that the
// sanitizer holds back looks like growth to the tests that watch it.
const sanitizerOptions = (leaks) => ({
  ASAN_OPTIONS: `detect_leaks=${leaks ? 1 : 0}:quarantine_size_mb=${leaks ? 256 : 16}:abort_on_error=0:detect_stack_use_after_return=1`,
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1',
});

/** What it prints, and how it ends; what it complains of is passed on. */
async function output(command, args, env) {
  const options = { cwd: root, env: { ...process.env, ...env }, maxBuffer: 1 << 28 };
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, options);
    process.stderr.write(stderr);
    return { stdout, status: 0 };
  } catch (error) {
    process.stderr.write(error.stderr);
    return { stdout: error.stdout, status: typeof error.code === 'number' ? error.code : 128 };
  }
}

async function run(name, command, args, env) {
  const { stdout, status } = await output(command, args, env);
  const count = countTap(stdout, status);
  total.passed += count.passed;
  total.failed += count.failed;
  console.log(
    `${count.failed ? 'not ok' : 'ok'} - ${name}: ${count.passed} passed, ${count.failed} failed`,
  );
  if (count.failed) console.log(whatFailed(stdout).replace(/^/gm, '  | '));
}

if (hasSources.core()) {
  const tests = buildTarget({ ...flavour, target: 'completion_port_test' });
  // They mostly wait.
  const count = 4;
  const parts = Array.from({ length: count }, (_, at) =>
    run(
      `completion_port_test, part ${at + 1} of ${count} (sanitize: ${sanitize})`,
      tests,
      // One thread alone races with nobody.
      ['--part', `${at + 1}/${count}`, ...(sanitize === 'thread' ? ['--threads'] : [])],
      sanitizerOptions(true),
    ),
  );
  await Promise.all(parts);
}

if (sanitize === 'address' && hasSources.addon()) {
  buildTarget({ ...flavour, target: 'iocp_net' });
  build({ tests: true });
  const isInFolders = (file) => folders === undefined || folders.includes(file.split(sep)[0]);
  const packageTests = testFiles(
    (file) => isInFolders(file) && !startsPrograms(file) && !measuresMemory(file),
  );
  // tap without files would run them all.
  if (packageTests.length === 0) throw new Error(`no test files in ${values.folders}`);
  // Only where Node itself was not built with it: the run-time must come first.
  const libraries = ['libasan.so', 'libubsan.so'].map((name) =>
    execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim(),
  );
  await run(
    `test suite (sanitize: address, Node ${NODE_OF_SUITE})`,
    nodeBinary('linux', NODE_OF_SUITE),
    [join(root, 'node_modules/.bin/tap'), '--reporter=tap', '--timeout=300', ...packageTests],
    {
      ...sanitizerOptions(false),
      LD_PRELOAD: libraries.join(' '),
      IOCP_NET_PREBUILD: join(root, 'build', out),
    },
  );
}

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

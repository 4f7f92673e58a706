// Breaks the code in one small way at a time, and expects the test that is to notice it to fail.
//
//   node scripts/test-mutants.mjs [--only PARTS] [--resume FILE] [--table FILE] [--folder NAME]
//
// The mutations are in test/mutants. Each is made in a copy of the sources under build/mutants,
// where what was built stays for the next run; the work tree is never touched. Each test is first
// seen to pass on the copy as it is, and once more where a mutant makes it take too long, because
// a busy machine does that, too. How it failed is printed.
//
// `--only` chooses by parts of names or files, with commas between them, `--folder` another copy, so
// that two runs do not meet. With `--resume` those that FILE says were noticed are left out, and the
// others added to it. `--table` writes what is known by then as a table in Markdown.
// Ends with "N passed, N failed": a mutant that was noticed has passed; one that was not, one that
// does not compile, and one whose text is no longer in its file have failed.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, execPath } from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { build } from './build.mjs';
import { root } from './gyp.mjs';
import { nameOfTest, openResults, tableOf } from './mutant-results.mjs';
import { runProgram } from './run-program.mjs';
import { mutants as all, mutated } from '../test/mutants/all.mjs';

const { values: chosen } = parseArgs({
  args: argv.slice(2),
  options: {
    only: { type: 'string', default: '' },
    resume: { type: 'string' },
    table: { type: 'string' },
    folder: { type: 'string', default: 'mutants' },
  },
});
const copy = join(root, 'build', chosen.folder);
const TEST_SECONDS = 60;
/** What is built from, and what tests run: built before, as it is in the work tree. */
const copied = [
  ...['package.json', 'binding.gyp', 'src', 'deps', 'scripts', 'dist'],
  'test/sim/native',
];
const copiedBuilds = ['build/dist', 'build/test'];

// Compiled often and run briefly.
const flavour = {
  out: 'core',
  defines: { sanitize: 'none', optimization: '-O0', optimization_of_tests: '-O0' },
};

/** Writes only what differs: what was made from the rest is still up to date. */
function bringUpToDate(path) {
  const [from, to] = [join(root, path), join(copy, path)];
  if (statSync(from).isDirectory()) {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) bringUpToDate(join(path, name));
    return;
  }
  const content = readFileSync(from);
  if (!existsSync(to) || !readFileSync(to).equals(content)) writeFileSync(to, content);
}

async function prepare() {
  build({ tests: true, addon: false });
  mkdirSync(copy, { recursive: true });
  for (const path of [...copied, ...copiedBuilds]) bringUpToDate(path);
  const modules = join(copy, 'node_modules');
  if (!existsSync(modules)) symlinkSync(join(root, 'node_modules'), modules);
  const inCopy = (file) => import(pathToFileURL(join(copy, 'scripts', file)).href);
  const [{ buildTarget }, { writeBundle }] = [await inCopy('gyp.mjs'), await inCopy('bundle.mjs')];
  const { prepareSockets } = await inCopy('simulated-sockets.mjs');
  return { buildTarget, writeBundle, prepareSockets };
}

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) =>
  readFileSync(file, 'utf8'),
);
const { options: compilerOptions } = ts.parseJsonConfigFileContent(config, ts.sys, root);

/** One module is enough: nobody's types change. */
function compileModule(file, tools) {
  const { outputText } = ts.transpileModule(readFileSync(join(copy, file), 'utf8'), {
    compilerOptions,
    fileName: join(copy, file),
  });
  writeFileSync(
    join(copy, 'build/dist', file.slice('src/'.length).replace(/ts$/, 'js')),
    outputText,
  );
  tools.writeBundle();
}

/** What a test runs on. */
function buildFor(test, tools) {
  if (test.scenarios !== undefined) return tools.prepareSockets({ compile: false });
  const target = test.core === undefined ? 'iocp_net' : 'completion_port_test';
  tools.buildTarget({ ...flavour, target });
}

function rebuild({ file, test }, tools) {
  if (file.endsWith('.ts')) compileModule(file, tools);
  else buildFor(test, tools);
}

/** Of tap: what hangs has been noticed long before its usual time is over, and one failure will do. */
const brief = { TAP_TIMEOUT: '15', TAP_BAIL: '1' };

/** How it is called. */
function commandOf(test) {
  if (test.core !== undefined) {
    return [join(copy, 'build/core/out/Release/completion_port_test'), ['--filter', test.core]];
  }
  if (test.file !== undefined)
    return [execPath, [join(copy, 'build/test', `${test.file}.test.js`)]];
  const simulated = ['--js', '--no-compile', '--scenarios', test.scenarios];
  return [execPath, [join(copy, 'scripts/test-sim.mjs'), ...simulated]];
}

/** What tap and the core's runner say of a test that took too long, and the simulation of a scenario. */
const TOO_LONG = /^ *not ok .*(?:timeout!|it does not end$)|^ *# timed out$/m;

/** How it ended: null if it passed, else in a few words, and whether it was given up. */
async function runTest(test) {
  const [program, args] = commandOf(test);
  const ended = await runProgram({
    program,
    args,
    cwd: copy,
    env: { ...env, IOCP_NET_PREBUILD: join(copy, 'build', flavour.out), ...brief },
    timeout: TEST_SECONDS,
    scratch: copy,
  });
  if (ended.timedOut) return { isGivenUp: true, how: `no end within ${TEST_SECONDS} s` };
  if (ended.code === 0) return null;
  // The innermost comes first.
  const [first = `ended with ${ended.code ?? ended.signal}`] =
    ended.stdout.match(/^ *not ok .*$/m) ?? [];
  return { isGivenUp: TOO_LONG.test(ended.stdout), how: first.trim() };
}

/** How the test ended with the mutation, which is taken back then. */
async function runMutated(mutant, text, tools) {
  const path = join(copy, mutant.file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, text);
  try {
    rebuild(mutant, tools);
    return await runTest(mutant.test);
  } finally {
    writeFileSync(path, original);
    // The core is built anew for the next anyway.
    if (mutant.test.core === undefined) rebuild(mutant, tools);
  }
}

/** The reason why it was not noticed, or cannot be; or how it was. */
async function tryMutant(mutant, tools) {
  const { reason, text } = mutated(mutant, readFileSync(join(copy, mutant.file), 'utf8'));
  if (reason !== undefined) return { reason };
  let ended;
  try {
    ended = await runMutated(mutant, text, tools);
  } catch (error) {
    return { reason: `it cannot be built: ${String(error.message).split('\n')[0]}` };
  }
  if (ended === null) return { reason: 'nobody noticed it' };
  if (ended.isGivenUp) {
    if (mutant.test.core !== undefined) rebuild(mutant, tools);
    const without = await runTest(mutant.test);
    if (without !== null) return { reason: `its test fails without it, too: ${without.how}` };
  }
  return { reason: null, how: ended.how };
}

/** The tests that fail with the code as it is, and so would notice nothing. */
async function failingTests(mutants, tools) {
  const tests = new Map(mutants.map(({ test }) => [nameOfTest(test), test]));
  const failing = new Set();
  for (const kind of ['file', 'core', 'scenarios']) {
    if (mutants.some(({ test }) => test[kind] !== undefined)) buildFor({ [kind]: '' }, tools);
  }
  for (const [name, test] of tests) {
    const ended = await runTest(test);
    if (ended === null) continue;
    console.log(`not ok - ${name} fails with the code as it is: ${ended.how}`);
    failing.add(name);
  }
  return failing;
}

async function main() {
  const results = openResults(chosen.resume);
  const wanted = all.filter(({ name, file }) =>
    chosen.only.split(',').some((part) => `${name} ${file}`.includes(part)),
  );
  const mutants = wanted.filter(({ name }) => !results.wasNoticed(name));
  const count = { passed: wanted.length - mutants.length, failed: 0 };
  const tools = await prepare();
  const failing = await failingTests(mutants, tools);
  for (const mutant of mutants) {
    const began = Date.now();
    const { reason, how } = failing.has(nameOfTest(mutant.test))
      ? { reason: 'its test fails without it' }
      : await tryMutant(mutant, tools);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const what = `${mutant.name} (${mutant.file}; ${nameOfTest(mutant.test)}; ${seconds} s)`;
    console.log(reason === null ? `ok - ${what}: ${how}` : `not ok - ${what}: ${reason}`);
    results.add(mutant.name, reason ?? how, reason === null);
    count[reason === null ? 'passed' : 'failed']++;
  }
  if (chosen.table !== undefined) writeFileSync(chosen.table, tableOf(all, results));
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
}

await main();

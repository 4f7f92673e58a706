// Breaks the code in one small way at a time, and expects the test that is to notice it to fail.
//
//   node scripts/test-mutants.mjs [--only PART] [--table FILE] [--folder NAME]
//
// The mutations are in test/mutants. Each is made in a copy of the sources under build/mutants,
// where what was built stays for the next run; the work tree is never touched. Each test is first
// seen to pass on the copy as it is. `--only` chooses by parts of names or files, `--folder`
// another copy, so that two runs do not meet. `--table` also writes the results as a table in Markdown.
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
import { runProgram } from './run-program.mjs';
import { binding } from '../test/mutants/binding.mjs';
import { core } from '../test/mutants/core.mjs';
import { typescript } from '../test/mutants/typescript.mjs';

const { values: chosen } = parseArgs({
  args: argv.slice(2),
  options: {
    only: { type: 'string', default: '' },
    table: { type: 'string' },
    folder: { type: 'string', default: 'mutants' },
  },
});
const copy = join(root, 'build', chosen.folder);
const TEST_SECONDS = 60;
/** What is built from, and what tests run: built before, as it is in the work tree. */
const copied = ['package.json', 'binding.gyp', 'src', 'deps', 'scripts', 'dist'];
const copiedBuilds = ['build/dist', 'build/test'];

// Compiled often and run briefly.
const flavour = { out: 'core', defines: { sanitize: 'none', optimization: '-O0' } };

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
  return { buildTarget, writeBundle };
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
  const target = test.core === undefined ? 'iocp_net' : 'completion_port_test';
  tools.buildTarget({ ...flavour, target });
}

function rebuild({ file, test }, tools) {
  if (file.endsWith('.ts')) compileModule(file, tools);
  else buildFor(test, tools);
}

/** Of tap: what hangs has been noticed long before its usual time is over, and one failure will do. */
const brief = { TAP_TIMEOUT: '15', TAP_BAIL: '1' };

/** True if it passed. */
async function runTest(test) {
  const [program, args] =
    test.core === undefined
      ? [execPath, [join(copy, 'build/test', `${test.file}.test.js`)]]
      : [join(copy, 'build/core/out/Release/completion_port_test'), ['--filter', test.core]];
  const ended = await runProgram({
    program,
    args,
    cwd: copy,
    env: { ...env, IOCP_NET_PREBUILD: join(copy, 'build', flavour.out), ...brief },
    timeout: TEST_SECONDS,
    scratch: copy,
  });
  return ended.code === 0 && !ended.timedOut;
}

const nameOf = (test) => test.core ?? test.file;

/** The text with the mutation made; a reason where that cannot be. */
function mutated({ before, after }, text) {
  const places = text.split(before).length - 1;
  if (places !== 1) return { reason: `its text is in the file ${places} times` };
  return { text: text.replace(before, () => after) };
}

/** Null if it was noticed, else the reason why that cannot be said. */
async function tryMutant(mutant, tools) {
  const path = join(copy, mutant.file);
  const original = readFileSync(path, 'utf8');
  const { reason, text } = mutated(mutant, original);
  if (reason !== undefined) return reason;
  writeFileSync(path, text);
  try {
    rebuild(mutant, tools);
    return (await runTest(mutant.test)) ? 'nobody noticed it' : null;
  } catch (error) {
    return `it cannot be built: ${String(error.message).split('\n')[0]}`;
  } finally {
    writeFileSync(path, original);
    // The core is built anew for the next anyway.
    if (mutant.test.core === undefined) rebuild(mutant, tools);
  }
}

/** The tests that fail with the code as it is, and so would notice nothing. */
async function failingTests(mutants, tools) {
  const tests = new Map(mutants.map(({ test }) => [nameOf(test), test]));
  const failing = new Set();
  if (mutants.some(({ test }) => test.core === undefined)) buildFor({ file: '' }, tools);
  if (mutants.some(({ test }) => test.core !== undefined)) buildFor({ core: '' }, tools);
  for (const [name, test] of tests) {
    if (await runTest(test)) continue;
    console.log(`not ok - ${name} fails with the code as it is`);
    failing.add(name);
  }
  return failing;
}

function tableOf(rows) {
  const lines = rows.map(
    ({ mutant, reason }) =>
      `| ${mutant.name} | \`${mutant.file}\` | \`${nameOf(mutant.test)}\` | ${reason ?? 'yes'} |`,
  );
  return ['| mutant | in | test | noticed |', '|---|---|---|---|', ...lines, ''].join('\n');
}

async function main() {
  const mutants = [...core, ...binding, ...typescript].filter(({ name, file }) =>
    chosen.only.split(',').some((part) => `${name} ${file}`.includes(part)),
  );
  const tools = await prepare();
  const failing = await failingTests(mutants, tools);
  const rows = [];
  for (const mutant of mutants) {
    const began = Date.now();
    const reason = failing.has(nameOf(mutant.test))
      ? 'its test fails without it'
      : await tryMutant(mutant, tools);
    rows.push({ mutant, reason });
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const what = `${mutant.name} (${mutant.file}; ${nameOf(mutant.test)}; ${seconds} s)`;
    console.log(reason === null ? `ok - ${what}` : `not ok - ${what}: ${reason}`);
  }
  if (chosen.table !== undefined) writeFileSync(chosen.table, tableOf(rows));
  const failed = rows.filter(({ reason }) => reason !== null).length;
  console.log(`${rows.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || rows.length === 0 ? 1 : 0;
}

await main();

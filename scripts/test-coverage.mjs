// Which lines and branches of the core its tests run through, with each backend and each kind of
// driver of this system, as gcov counts them. Fails below the thresholds.
//
//   node scripts/test-coverage.mjs [--missing] [--no-run]
//
// --missing prints what was not run; --no-run reads what the last run left.
//
// A line counts once, however many functions are made of it (a header's, a template's). A branch is
// an outcome of a condition. Left out are: the way to an exception out of a call (the core is made
// without exceptions), outcomes that no run can have (UNREACHABLE), and lines with a reason: `LCOV_EXCL_LINE: why`, or from `LCOV_EXCL_START:
// why` to `LCOV_EXCL_STOP`; one without a reason fails. Ends with "N passed, N failed".
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { buildTarget, root } from './gyp.mjs';
import { countTap } from './tap-count.mjs';

const THRESHOLDS = { lines: 98, branches: 92 };
const folders = ['deps/completion-port/src/', 'deps/completion-port/include/'];
// Of the tests, too: of a header's function the linker takes one of all that were made.
const objects = join(root, 'build/coverage/out/Release/obj.target');

/** Of the outcomes in such a line one that is never seen does not count. */
const UNREACHABLE = [
  /\bos::IsPipe\(/, // constant: no local socket is a pipe on POSIX
  /^\s*switch \(/, // over an enum, whose values all have a case: gcov counts "none of them", too
];

const { values } = parseArgs({
  options: {
    missing: { type: 'boolean', default: false },
    'no-run': { type: 'boolean', default: false },
  },
});

const countFiles = (ending) =>
  readdirSync(objects, { recursive: true })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(objects, file));

/** Runs the tests in parts, which mostly wait; every process adds to the same counts. */
async function runTests() {
  const flavour = {
    out: 'coverage',
    defines: { sanitize: 'coverage', optimization: '-O0', optimization_of_tests: '-O0' },
  };
  const program = buildTarget({ ...flavour, target: 'completion_port_test' });
  for (const file of countFiles('.gcda')) rmSync(file);
  const parts = 3;
  const runs = Array.from({ length: parts }, async (_, at) => {
    const args = ['--part', `${at + 1}/${parts}`];
    const options = { cwd: root, maxBuffer: 1 << 28 };
    const ended = await promisify(execFile)(program, args, options).catch((error) => error);
    const { failed } = countTap(ended.stdout, ended.code ?? 0);
    // Code that counts is slow, which those that are given a time notice: test:core judges them.
    if (failed)
      console.log(
        ended.stdout
          .match(/^not ok .*(?:\n {2}.*)*/gm)
          ?.join('\n')
          .replace(/^/gm, '# '),
      );
  });
  await Promise.all(runs);
}

/** Of each source of the core: line → {count, branches}, from all the objects made of it. */
function readCounts() {
  const files = new Map();
  for (const counts of countFiles('.gcda')) {
    const text = execFileSync(
      'gcov',
      ['--json-format', '--stdout', '--branch-probabilities', counts],
      {
        cwd: root,
        maxBuffer: 1 << 28,
        encoding: 'utf8',
      },
    );
    for (const document of text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))) {
      for (const { file, lines } of document.files) {
        const name = relative(root, resolve(document.current_working_directory, file));
        if (folders.some((folder) => name.startsWith(folder))) addLines(files, name, lines);
      }
    }
  }
  return files;
}

function addLines(files, name, lines) {
  if (!files.has(name)) files.set(name, new Map());
  const known = files.get(name);
  for (const line of lines) {
    const entry = known.get(line.line_number) ?? { count: 0, branches: [] };
    entry.count += line.count;
    line.branches
      .filter((branch) => !branch.throw)
      .forEach((branch, at) => (entry.branches[at] = (entry.branches[at] ?? 0) + branch.count));
    known.set(line.line_number, entry);
  }
}

/** Numbers of the lines that are left out. */
function excludedLines(name) {
  const excluded = new Set();
  let inside = false;
  readFileSync(join(root, name), 'utf8')
    .split('\n')
    .forEach((text, index) => {
      const marker = /LCOV_EXCL_(LINE|START|STOP)(:?\s*\S?)/.exec(text);
      if (marker && marker[1] !== 'STOP' && !/:\s*\S/.test(marker[2])) {
        throw new Error(`${name}:${index + 1} is left out without a reason`);
      }
      if (marker?.[1] === 'START') inside = true;
      if (inside || marker?.[1] === 'LINE') excluded.add(index + 1);
      if (marker?.[1] === 'STOP') inside = false;
    });
  return excluded;
}

const totals = { lines: { run: 0, all: 0 }, branches: { run: 0, all: 0 }, excluded: 0 };

function reportFile(name, lines) {
  const excluded = excludedLines(name);
  const text = readFileSync(join(root, name), 'utf8').split('\n');
  for (const [number, { count, branches }] of [...lines].sort(([a], [b]) => a - b)) {
    if (excluded.has(number)) {
      totals.excluded += 1;
      continue;
    }
    totals.lines.all += 1;
    if (count > 0) totals.lines.run += 1;
    const spared = UNREACHABLE.some((pattern) => pattern.test(text[number - 1])) ? 1 : 0;
    const taken = branches.filter((times) => times > 0).length;
    const missed = Math.max(branches.length - taken - spared, 0);
    totals.branches.run += taken;
    totals.branches.all += taken + missed;
    if (!values.missing || (count > 0 && missed === 0)) continue;
    const what = count === 0 ? 'not run' : `${missed} of ${branches.length} branches`;
    console.log(`${name}:${number}: ${what}: ${text[number - 1].trim()}`);
  }
}

if (!values['no-run']) await runTests();
for (const [name, lines] of [...readCounts()].sort()) reportFile(name, lines);

let passed = 0;
let failed = 0;
for (const [kind, least] of Object.entries(THRESHOLDS)) {
  const { run, all } = totals[kind];
  const percent = (100 * run) / all;
  const good = percent >= least;
  if (good) passed += 1;
  else failed += 1;
  const sign = good ? 'ok' : 'not ok';
  console.log(`${sign} - ${kind}: ${run} of ${all}, ${percent.toFixed(2)} % (at least ${least} %)`);
}
console.log(`# ${totals.excluded} lines left out, each with its reason`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

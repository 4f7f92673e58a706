// Counts assertions in TAP: leaves only, not the line that closes a subtest.
// A program whose last line is "N passed, N failed" is believed.
//
//   node scripts/tap-count.mjs [--exit-code N] [--one-check] log     prints "passed failed"
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { parseArgs } from 'node:util';
import { Parser } from 'tap-parser';

/** Counts what a document says, and its subtests; `failed` is how many of it and below failed. */
function follow(parser, count) {
  let child;
  const own = { failed: 0 };
  parser.on('child', (subtest) => (child = follow(subtest, count)));
  parser.on('assert', ({ ok, skip, todo }) => {
    const bad = !ok && !todo && !skip;
    const below = child;
    child = undefined;
    if (below !== undefined) {
      own.failed += below.failed;
      // A subtest may fail although its assertions did not: a plan, a time-out.
      if (!bad || below.failed > 0) return;
    }
    if (bad) own.failed += 1;
    count[bad ? 'failed' : skip || todo ? 'skipped' : 'passed'] += 1;
  });
  return own;
}

function countDocument(text) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const parser = new Parser(({ plan, failures }) => {
    // Fewer than planned, or more. Without a plan the exit code alone can tell.
    const isBroken = plan.end !== null && failures.some(({ tapError }) => tapError);
    if (isBroken && count.failed === 0) count.failed = 1;
  });
  follow(parser, count);
  parser.end(text);
  return count;
}

/**
 * @param {string} text
 * @param {number} [exitCode]
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countTap(text, exitCode = 0) {
  const stated = /(?:^|\n)(\d+) passed, (\d+) failed\s*$/.exec(text);
  const count = stated
    ? { passed: Number(stated[1]), failed: Number(stated[2]), skipped: 0 }
    : countDocument(text);
  if (exitCode !== 0 && count.failed === 0) count.failed = 1;
  else if (count.passed + count.failed + count.skipped === 0) count.failed = 1; // no assertion ran
  return count;
}

/**
 * What a reader wants of a long output: the failures with what follows them, and the end.
 *
 * @param {string} text
 * @returns {string}
 */
export function whatFailed(text) {
  const failures = text.match(/^ *not ok .*(?:\n.*){0,20}/gm) ?? [];
  return [...failures.slice(0, 40), text.slice(-2000)].join('\n…\n');
}

if (argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'exit-code': { type: 'string', default: '0' }, 'one-check': { type: 'boolean' } },
  });
  const code = Number(values['exit-code']);
  const [file] = positionals;
  const count = values['one-check']
    ? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }
    : countTap(readFileSync(file, 'utf8'), code);
  console.log(`${count.passed} ${count.failed}`);
}

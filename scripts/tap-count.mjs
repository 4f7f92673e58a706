// Counts assertions in TAP: leaves only, not the line that closes a subtest.
// A program whose last line is "N passed, N failed" is believed.
//
//   node scripts/tap-count.mjs [--exit-code N] [--one-check] log     prints "passed failed"
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { parseArgs } from 'node:util';

/**
 * @param {string} text
 * @param {number} [exitCode]
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countTap(text, exitCode = 0) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const stated = /(?:^|\n)(\d+) passed, (\d+) failed\s*$/.exec(text);
  // For each depth: has it shown results, and failed ones, since its parent's last line?
  const seen = [];
  if (stated) {
    count.passed = Number(stated[1]);
    count.failed = Number(stated[2]);
  }
  for (const line of stated ? [] : text.split(/\r?\n/)) {
    const match = /^( *)(not )?ok\b(.*)$/.exec(line);
    if (!match) continue;
    const depth = match[1].length / 4;
    const bad = match[2] !== undefined && !/# *todo\b/i.test(match[3]);
    const children = seen[depth + 1];
    seen.length = depth + 1;
    seen[depth] = { failed: (seen[depth]?.failed ?? false) || bad };
    if (children) {
      // A subtest may fail although its assertions did not: a plan, a time-out.
      if (bad && !children.failed) count.failed += 1;
    } else if (/# *(skip|todo)\b/i.test(match[3])) count.skipped += 1;
    else if (bad) count.failed += 1;
    else count.passed += 1;
  }
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

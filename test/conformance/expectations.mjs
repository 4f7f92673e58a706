// What is expected of each test: to pass with ours, on our core. `expectations.json` lists the
// others, in rows:
//
//   { "mode": "swap", "expect": "fail", "on": ["linux"], "node": [20], "reason": "…", "tests": […] }
//
// `expect`: `fail`; `native`: passes, and rightly makes handles of Node's own (seen with --trace);
// `varies`: depends on timing. `on` and `node` are left out where it is the same everywhere.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('expectations.json', import.meta.url));

const rows = JSON.parse(readFileSync(file, 'utf8'));

/** The exception for a test here, if there is one. */
export function exceptionFor(test, mode, platform, nodeMajor) {
  return rows.find(
    (row) =>
      row.mode === mode &&
      row.tests.includes(test) &&
      (row.on === undefined || row.on.includes(platform)) &&
      (row.node === undefined || row.node.includes(nodeMajor)),
  );
}

const failures = ['fail', 'crash', 'timeout'];

/**
 * Whether an outcome is as expected. Outcomes: `pass`; `native`: passed on Node's own handles;
 * `fail`, `crash`, `timeout`; `skip`: the test says so itself; `broken`: fails with node:net as
 * well, so it says nothing of ours.
 */
export function isExpected(outcome, exception) {
  if (outcome === 'skip' || outcome === 'broken') return true;
  switch (exception?.expect) {
    case 'fail':
      return failures.includes(outcome);
    case 'native':
      // Without --trace nobody looks, and on another platform there may be none.
      return outcome === 'native' || outcome === 'pass';
    case 'varies':
      return outcome === 'pass' || failures.includes(outcome);
    default:
      return outcome === 'pass';
  }
}

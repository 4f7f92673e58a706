// What is expected of each test: to pass with ours, on our core. `expectations.json` lists the
// others, by test:
//
//   { "expect": "fail" | "native", "on": ["linux", "wine"], "node": [20, 22], "reason": "…" }
//
// `native`: passes, and rightly makes handles of Node's own (seen with --trace). `on` and `node`
// are left out where it is the same everywhere.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('expectations.json', import.meta.url));

const listed = JSON.parse(readFileSync(file, 'utf8'));

/** The exception for a test here, if there is one. */
export function exceptionFor(test, mode, platform, nodeMajor) {
  const rows = listed[mode]?.[test] ?? [];
  return rows.find(
    ({ on, node }) =>
      (on === undefined || on.includes(platform)) &&
      (node === undefined || node.includes(nodeMajor)),
  );
}

/**
 * Whether an outcome is as expected. Outcomes: `pass`; `native`: passed on Node's own handles;
 * `fail`, `crash`, `timeout`; `skip`: the test says so itself; `broken`: fails with node:net as
 * well, so it says nothing of ours.
 */
export function isExpected(outcome, exception, traced) {
  if (outcome === 'skip' || outcome === 'broken') return true;
  switch (exception?.expect) {
    case 'fail':
      return ['fail', 'crash', 'timeout'].includes(outcome);
    case 'native':
      return traced ? outcome === 'native' : outcome === 'pass';
    default:
      return outcome === 'pass';
  }
}

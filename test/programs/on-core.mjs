// What a program must have done on our core.
import assert from 'node:assert/strict';

/** @param {Record<string, number>} least  how often at least, by operation or by counter */
export function didAtLeast(stats, least) {
  for (const [name, count] of Object.entries(least)) {
    const done = stats.operations[name]?.completed ?? stats[name] ?? 0;
    assert.ok(done >= count, `${name}: ${done}, not ${count}`);
  }
}

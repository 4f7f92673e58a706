/** What `iocp-net bench` says of figures. */
import t from 'tap';
import { compare, type Round } from '#dist/cli/bench/comparison.js';
import { verdictOf, verdictOfAll } from '#dist/cli/bench/verdict.js';

const run = (rate: number, cpu: number | null) => ({ rate, cpu, p50: 100, p99: 200 });
const round = (node: number, ours: number, again: number): Round => ({
  'node:net': run(1e6 / node, node),
  'iocp-net': run(1e6 / ours, ours),
  'node:net again': run(1e6 / again, again),
});

t.test('a difference counts beyond the noise only', (test) => {
  const verdict = (rounds: Round[]) =>
    verdictOf({ rate: compare(rounds, 'rate'), cpu: compare(rounds, 'cpu') });
  test.equal(verdict([round(100, 70, 101), round(100, 71, 102)]), 'faster');
  test.equal(verdict([round(100, 130, 101), round(100, 131, 102)]), 'stay with node:net');
  test.equal(verdict([round(100, 99, 101), round(100, 100, 102)]), 'no difference');
  test.equal(verdict([round(100, 80, 140), round(100, 80, 100)]), 'no difference', 'noise');
  test.equal(verdict([round(100, 70, 100)]), 'no difference', 'of one round nothing is known');
  const comparison = compare([round(100, 50, 100), round(100, 50, 121)], 'cpu');
  test.match(comparison, { isReal: true });
  test.equal(comparison?.noise.toFixed(2), '0.21');
  test.equal(comparison?.ratio.toFixed(2), '0.48');
  test.equal(compare([], 'cpu'), null);
  test.equal(compare([{ ...round(1, 1, 1), 'iocp-net': run(1, null) }], 'cpu'), null);
  test.end();
});

t.test('all loads together', (test) => {
  const [better, same, worse] = ['faster', 'no difference', 'stay with node:net'] as const;
  test.equal(verdictOfAll([same, better]), better);
  test.equal(verdictOfAll([same, worse]), worse);
  test.equal(verdictOfAll([same, same]), same);
  test.equal(verdictOfAll([better, worse]), 'depends on the load');
  test.end();
});

/** What of a measured difference counts. */
import { compare, median } from '#dist/cli/noise.js';
import type { Round } from '#dist/cli/noise.js';
import t, { type Test } from 'tap';

const round = (base: number, candidate: number, control: number): Round => ({
  base,
  candidate,
  control,
});

const about = (test: Test, found: number | undefined, wanted: number): void => {
  test.ok(Math.abs((found ?? NaN) / wanted - 1) < 1e-9, `${found} is ${wanted}`);
};

t.test('the median leaves out what was not measured', async (test) => {
  test.equal(median([]), undefined);
  test.equal(median([NaN, undefined]), undefined);
  test.equal(median([3, 1, NaN, 2]), 2);
  test.equal(median([4, 1, undefined, 3, 2]), 2.5);
});

t.test('a difference beyond that of the base from itself is real', async (test) => {
  const { ratio, noise, real, base, candidate } = compare([
    round(100, 50, 110),
    round(100, 60, 100),
    round(90, 55, 100),
  ]);
  about(test, base, 100);
  test.equal(candidate, 55);
  about(test, ratio, 55 / Math.sqrt(9000));
  about(test, noise, 1 / 9);
  test.equal(real, true);
});

t.test('the noise has no direction, and neither has what is real', async (test) => {
  const up = compare([round(100, 120, 110), round(100, 120, 100)]);
  const down = compare([round(110, 120, 100), round(100, 120, 100)]);
  about(test, up.noise, 0.1);
  about(test, down.noise, 0.1);
  const faster = compare([round(100, 80, 100), round(100, 80, 100)]);
  const slower = compare([round(100, 125, 100), round(100, 125, 100)]);
  test.equal(faster.real && slower.real, true);
});

t.test('what is within it, or below 3 %, is not real', async (test) => {
  test.equal(compare([round(100, 105, 110), round(100, 105, 100)]).real, false);
  const equal = compare([round(100, 102.9, 100), round(100, 102.9, 100)]);
  about(test, equal.noise, 0.03);
  test.equal(equal.real, false);
  test.equal(compare([round(100, 103.1, 100), round(100, 103.1, 100)]).real, true);
});

t.test('one round, a busy machine and no figure show nothing', async (test) => {
  test.equal(compare([round(100, 10, 100)]).real, false);
  test.equal(compare([round(100, 10, 100), round(100, 10, 100)], false).real, false);
  const none = compare([round(NaN, NaN, NaN), round(NaN, NaN, NaN)]);
  test.strictSame([none.ratio, none.real], [undefined, false]);
});

/**
 * Properties that are checked with many inputs. Most have the form "the same input has the same
 * outcome on `node:net` and on ours". `IOCP_NET_SEED` and `IOCP_NET_RUNS` go further than the few of every day.
 */
import { deepStrictEqual } from 'node:assert';
import * as nodeNet from 'node:net';
import fc from 'fast-check';
import * as iocpNet from 'iocp-net';
import t, { type Test } from 'tap';
import { describe, record } from '../support/compare';
import type { Scenario } from '../support/compare';

const seed = Number(process.env.IOCP_NET_SEED ?? 20);

/** By default as many as fit into a moment; with a number of runs, as long as these take. */
const DEFAULT_RUNS = 400;
const DEFAULT_MILLISECONDS = 3500;
const RUN_MILLISECONDS = 1500;
const isLong = process.env.IOCP_NET_RUNS !== undefined;
const numRuns = Number(process.env.IOCP_NET_RUNS ?? DEFAULT_RUNS);
// A file as a whole has 30 seconds by default.
if (isLong) t.setTimeout(0);

// Paths, errors and descriptors are those of POSIX.
const skip = process.platform === 'win32' ? 'the inputs are for POSIX' : false;

/** One test: `run` is made with each input, and must not throw. */
export function holds<Input>(
  t: Test,
  name: string,
  input: fc.Arbitrary<Input>,
  run: (input: Input) => void | Promise<void>,
  examples: readonly Input[] = [],
): void {
  t.test(name, { timeout: isLong ? 0 : 60_000 }, async (test) => {
    await check(
      test,
      name,
      fc.asyncProperty(input, async (made) => run(made)),
      examples,
    );
  });
}

async function check<Input>(
  test: Test,
  name: string,
  property: fc.IAsyncProperty<[Input]>,
  examples: readonly Input[],
): Promise<void> {
  const details = await fc.check(property, {
    seed,
    numRuns,
    // What hangs is a failure, too.
    timeout: RUN_MILLISECONDS,
    examples: examples.map((example) => [example]),
    ...(isLong ? {} : { interruptAfterTimeLimit: DEFAULT_MILLISECONDS }),
  });
  if (details.failed) test.comment((details.errorInstance as Error | null)?.message);
  test.notOk(details.failed, fc.defaultReportMessage(details) ?? name);
  test.ok(details.numRuns > examples.length, `${details.numRuns} inputs, seed ${seed}`);
}

/** One test: `run` is made with each input on both sides, and must report the same. */
export function holdsForBoth<Input>(
  t: Test,
  name: string,
  input: fc.Arbitrary<Input>,
  run: (scenario: Scenario, input: Input) => Promise<unknown>,
  examples: readonly Input[] = [],
): void {
  t.test(name, { skip, timeout: isLong ? 0 : 60_000 }, async (test) => {
    const property = fc.asyncProperty(input, async (made) => {
      const expected = await record({ net: nodeNet }, (scenario) => run(scenario, made));
      const actual = await record({ net: iocpNet }, (scenario) => run(scenario, made));
      deepStrictEqual(actual, expected);
    });
    await check(test, name, property, examples);
  });
}

/** What a call answers or throws; an object that it answers is named, because no two are equal. */
export function outcome(call: () => unknown, names = new Map<unknown, string>()): unknown {
  try {
    const answer = call();
    return ['answer', names.get(answer) ?? answer];
  } catch (error) {
    return ['thrown', describe(withoutInternals(error))];
  }
}

/**
 * What the language itself throws about a value (reading a member of null, calling a number) names
 * variables of whoever meets it, so that its text is nobody's contract.
 */
export function withoutInternals(error: unknown): unknown {
  const isLanguages =
    (error instanceof TypeError || error instanceof RangeError) && !('code' in error);
  return isLanguages ? error.name : error;
}

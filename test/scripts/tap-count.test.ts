/** scripts/tap-count.mjs, by which the checks of this repository are counted. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

interface Counting {
  countTap(text: string, exitCode?: number): { passed: number; failed: number; skipped: number };
  whatFailed(text: string): string;
}

const root = dirname(require.resolve('iocp-net/package.json'));
const program = join(root, 'scripts/tap-count.mjs');
const counting = import(pathToFileURL(program).href) as Promise<Counting>;

const nested = `what the build said
TAP version 14
# Subtest: a
    not ok 1 - x # TODO later
    ok 2 - y # SKIP not here
    ok 3
    not ok 4 - z # SKIP nor is this
    1..4
ok 1 - a # time=3ms
# Subtest: b
    # Subtest: c
        not ok 1
        ok 2
        1..2
    not ok 1 - c
    1..1
not ok 2 - b
ok 3 - plain
1..3
`;

t.test('leaves count, the lines that close a subtest do not', async (test) => {
  const { countTap } = await counting;
  const wanted = { passed: 3, failed: 1, skipped: 3 };
  test.strictSame(countTap(nested, 1), wanted);
  test.strictSame(countTap(nested.replaceAll('\n', '\r\n'), 1), wanted);
});

t.test('a subtest that failed without a failed assertion counts', async (test) => {
  const { countTap } = await counting;
  const timedOut = '# Subtest: a\n    ok 1\n    1..1\nnot ok 1 - a # time-out\n1..1\n';
  test.strictSame(countTap(timedOut, 1), { passed: 1, failed: 1, skipped: 0 });
});

t.test('fewer assertions than planned are a failure', async (test) => {
  const { countTap } = await counting;
  test.strictSame(countTap('1..3\nok 1\nok 2\n'), { passed: 2, failed: 1, skipped: 0 });
  test.strictSame(countTap('ok 1\nok 2\n'), { passed: 2, failed: 0, skipped: 0 });
});

t.test(
  'an exit code counts where nothing else failed; nothing at all is a failure',
  async (test) => {
    const { countTap } = await counting;
    test.strictSame(countTap('ok 1\n1..1\n', 3), { passed: 1, failed: 1, skipped: 0 });
    test.strictSame(countTap('Segmentation fault\n'), { passed: 0, failed: 1, skipped: 0 });
  },
);

t.test('a program that counts itself is believed', async (test) => {
  const { countTap } = await counting;
  test.strictSame(countTap('not ok 1\n7 passed, 2 failed\n', 1), {
    passed: 7,
    failed: 2,
    skipped: 0,
  });
});

t.test('as a command it prints both numbers', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'tap-count-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  writeFileSync(file, nested);
  const count = (...options: string[]): string =>
    execFileSync(process.execPath, [program, ...options, file], { encoding: 'utf8' });
  test.equal(count('--exit-code', '1'), '3 1\n');
  test.equal(count('--one-check', '--exit-code', '1'), '0 1\n');
});

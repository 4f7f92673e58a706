/** The examples of framing, as they test themselves. */
import t from 'tap';
import type { Test } from 'tap';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../support/child';

const examples = join(dirname(require.resolve('iocp-net/package.json')), 'examples');

/** What it prints; it must end by itself and say nothing of errors. */
async function selfTest(test: Test, name: string): Promise<string> {
  const file = pathToFileURL(join(examples, `${name}.mjs`)).href;
  const program = `process.argv.push('--self-test'); import(${JSON.stringify(file)});`;
  const { code, signal, stdout, stderr } = await run(program, 30_000);
  test.same([code, signal, stderr], [0, null, '']);
  return stdout;
}

t.test('remote calls', async (test) => {
  const lines = (await selfTest(test, 'framed-rpc')).trimEnd().split('\n');
  test.same(lines, [
    '2 + 3 = 5',
    'answers in the order fast, slow',
    'refused: there is no method none',
    'echoed 500000 characters',
    'correct sums: 10000',
  ]);
});

t.test('an order gateway', async (test) => {
  const text = await selfTest(test, 'order-gateway');
  test.match(text, /^4500 accepted, 500 rejected\n/);
  test.equal(text.match(/p50 \d+ us, p99 \d+ us/g)?.length, 2);
});

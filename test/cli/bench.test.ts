/** `iocp-net bench`: what it says of figures, and that it measures, checks and ends servers. */
import t from 'tap';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type Round } from '#dist/cli/bench/comparison.js';
import { verdictOf, verdictOfAll } from '#dist/cli/bench/verdict.js';
import { runCommand, startCommand } from '../support/command-line';
import { listen } from '../support/sockets';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(170_000);

const windows = process.platform === 'win32';
const folder = mkdtempSync(join(tmpdir(), 'iocp-net-bench-test-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

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

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

const application = join(folder, 'app.mjs');
writeFileSync(
  application,
  `import { appendFileSync } from 'node:fs';
  import { createServer } from 'node:http';
  const { PORT, BENCH_TEST_LOG: log } = process.env;
  appendFileSync(log, \`\${process.pid} \${/register/.test(process.env.NODE_OPTIONS)}\\n\`);
  createServer((request, response) => response.end('Hello')).listen(Number(PORT), '127.0.0.1');`,
);

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

interface Started {
  pid: number;
  isRegistered: boolean;
}

const startsIn = (log: string): Started[] =>
  (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []).map((line) => {
    const [pid, isRegistered] = line.split(' ');
    return { pid: Number(pid), isRegistered: isRegistered === 'true' };
  });

t.test("the user's server, as it is and with register", async (test) => {
  const port = await freePort();
  const log = join(folder, 'starts');
  const words = ['bench', '--json', '--seconds', '5', '--connections', '2', '--url'];
  const { code, stdout, stderr } = await runCommand(
    [...words, `http://127.0.0.1:${port}/`, '--', process.execPath, application],
    { PORT: `${port}`, BENCH_TEST_LOG: log, NODE_OPTIONS: '' },
  );
  test.equal(code, 0, stderr);
  const { loads, verdict } = JSON.parse(stdout);
  test.equal(loads.length, 1);
  test.equal(loads[0].connections, 2);
  test.ok(loads[0].rate.node > 0 && loads[0].rate.ours > 0);
  if (!windows) test.ok(loads[0].cpu.ours > 0);
  test.match(verdict, /^(faster|no difference|stay with node:net)$/);
  const starts = startsIn(log);
  const registered = starts.map(({ isRegistered }) => isRegistered);
  test.strictSame(registered.slice(0, 6), [false, true, false, false, true, false]);
  for (const { pid } of starts) test.notOk(isAlive(pid), 'ended');
  test.match(stderr, /# round 1 of 3: iocp-net\/register/);
});

const failing = async (words: readonly string[], url: string) =>
  runCommand(['bench', '--seconds', '5', '--connections', '1', '--url', url, '--', ...words], {
    NODE_OPTIONS: '',
  });

t.test('a server that cannot be measured: why, exit code 1', async (test) => {
  const url = `http://127.0.0.1:${await freePort()}/`;
  const ended = await failing([process.execPath, '-e', 'throw new Error("no luck")'], url);
  test.equal(ended.code, 1);
  test.match(ended.stderr, /it ended with 1[^]*no luck/);
  const missing = await failing(['no-such-program'], url);
  test.equal(missing.code, 1);
  test.match(missing.stderr, /no-such-program: spawn no-such-program ENOENT/);
  const other = createServer((_request, response) => response.end());
  const taken = await failing([process.execPath, '-v'], `http://127.0.0.1:${await listen(other)}/`);
  test.equal(taken.code, 1);
  test.match(taken.stderr, /something answers at .* already/);
  other.close();
});

t.test('a server that register does not reach is noticed', async (test) => {
  const port = await freePort();
  // It takes the net that Node has of its own, as it was.
  const program = `
    process.env.NODE_OPTIONS = '';
    if (!process.env.AGAIN) {
      process.env.AGAIN = '1';
      require('node:child_process').spawn(process.execPath, process.execArgv, { stdio: 'ignore' });
      setInterval(() => {}, 1000);
    } else {
      const server = require('node:http').createServer((request, response) => response.end());
      server.listen(${port}, '127.0.0.1');
      setTimeout(() => process.exit(), 60000);
    }`;
  const { code, stderr } = await failing(
    [process.execPath, '-e', program],
    `http://127.0.0.1:${port}/`,
  );
  test.equal(code, 1);
  test.match(stderr, /did not run on the core: no process of it has made a socket/);
});

t.test('Ctrl-C ends it, and the server with it', { skip: windows }, async (test) => {
  const port = await freePort();
  const log = join(folder, 'interrupted');
  const url = `http://127.0.0.1:${port}/`;
  const env = { PORT: `${port}`, BENCH_TEST_LOG: log, NODE_OPTIONS: '' };
  const bench = startCommand(['bench', '--url', url, '--', process.execPath, application], env);
  while (startsIn(log).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  test.equal(await bench.end('SIGINT'), 130);
  for (const { pid } of startsIn(log)) test.notOk(isAlive(pid));
  await bench[Symbol.asyncDispose]();
});

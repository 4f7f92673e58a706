/** `iocp-net bench` with a server of the user's: that it measures, checks and ends it. */
import t from 'tap';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, runCommand, startCommand } from '../support/command-line';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(176_000);

const windows = process.platform === 'win32';
const folder = mkdtempSync(join(tmpdir(), 'iocp-net-bench-test-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

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
    165_000,
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

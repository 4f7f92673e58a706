/** `iocp-net top`: what it shows of a process, and how it ends. */
import t from 'tap';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EndpointSnapshot } from 'iocp-net/engine';
import { ratesBetween } from '#dist/cli/top/rates.js';
import { viewLines } from '#dist/cli/top/view.js';
import { takeSnapshot } from '#dist/endpoint/snapshot.js';
import { engine } from 'iocp-net/engine';
import { load } from '../support/child';
import { runCommand, Running, startCommand } from '../support/command-line';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(120_000);

const windows = process.platform === 'win32';
const folder = mkdtempSync(join(tmpdir(), 'iocp-net-top-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
// Where the default place is, on both sides.
const env = { XDG_RUNTIME_DIR: folder };

/** An echo that talks to itself. */
const program = `${load('net')} ${load('engine')}
  engine.engine.openEndpoint().then(() => {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      client.on('data', () => {});
      setInterval(() => client.write('0123456789'), 5);
      console.log('ready');
    });
  });`;

async function withProcess(use: (pid: number, running: Running) => Promise<void>): Promise<void> {
  const running = new Running(['-e', program], env);
  try {
    await running.until(/ready/);
    await use(running.child.pid ?? 0, running);
  } finally {
    await running[Symbol.asyncDispose]();
  }
}

t.test('one process, once', () =>
  withProcess(async (pid) => {
    const { code, stdout, stderr } = await runCommand(['top', `${pid}`, '--once', '--json'], env);
    t.equal(code, 0, stderr);
    const found = JSON.parse(stdout);
    t.match(found, { pid, backend: windows ? 'iocp' : 'epoll' });
    t.equal(found.stats.socketsOpen, 2);
    t.ok(found.rates.bytesReceived > 0);
    t.ok(found.rates.seconds > 0.3);
    const shown = await runCommand(['top', `${pid}`, '--once'], env);
    t.match(shown.stdout, new RegExp(`^${pid} `));
    t.match(shown.stdout, /^sockets +2 open, 1 listening$/m);
    t.match(shown.stdout, /^127\.0\.0\.1:\d+ +1 +no limits$/m);
    t.notOk(shown.stdout.includes('\x1b'), 'no terminal, no colours');
  }),
);

t.test('the list of what there is', { skip: windows }, () =>
  withProcess(async (pid) => {
    const { code, stdout } = await runCommand(['top', '--json'], env);
    t.equal(code, 0);
    t.strictSame(
      JSON.parse(stdout).map((each: { pid: number }) => each.pid),
      [pid],
    );
    t.match((await runCommand(['top', join(folder, 'iocp-net')], env)).stdout, `${pid}`);
  }),
);

t.test('it follows, and ends with the process', () =>
  withProcess(async (pid, running) => {
    const top = startCommand(['top', `${pid}`, '--json'], env);
    await top.until(/\n.*\n/);
    await running.end();
    await top.until(/iocp-net: \d+: (?:the process has ended|.* does not answer)/);
    const [first = ''] = top.output.split('\n');
    t.equal(JSON.parse(first).pid, pid);
    for (let look = 0; look < 100 && top.child.exitCode === null; look++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    t.equal(top.child.exitCode, 0);
    await top[Symbol.asyncDispose]();
  }),
);

t.test('Ctrl-C ends it', { skip: windows }, () =>
  withProcess(async (pid) => {
    const top = startCommand(['top', `${pid}`], env);
    await top.until(/sockets/);
    t.equal(await top.end('SIGINT'), 0);
    await top[Symbol.asyncDispose]();
  }),
);

t.test('nobody there', async (test) => {
  const none = { XDG_RUNTIME_DIR: join(folder, 'nothing') };
  const { code, stderr } = await runCommand(['top', '999999999', '--once'], none);
  test.equal(code, 1);
  test.match(stderr, /^iocp-net: .* does not answer \(\w+\)\n$/);
  if (windows) return;
  const list = await runCommand(['top'], none);
  test.equal(list.code, 1);
  test.match(list.stderr, /no process has an endpoint open/);
});

const snapshot = (): EndpointSnapshot =>
  takeSnapshot(
    { backend: 'node', transport: null, options: {}, stats: () => engine.stats() },
    '0.0.0',
  );

t.test('rates are differences by the time between', (test) => {
  const before = snapshot();
  const after = {
    ...before,
    clockMs: before.clockMs + 2000,
    cpuMs: before.cpuMs + 500,
    loop: { idleMs: before.loop.idleMs + 1500, activeMs: before.loop.activeMs + 500 },
    stats: { ...before.stats, bytesSent: before.stats.bytesSent + 4000, waitedNs: 1e9 },
  };
  const { seconds, bytesSent, bytesReceived, cores, waiting, utilization } = ratesBetween(
    before,
    after,
  );
  const rounded = [seconds, bytesSent, bytesReceived, cores, waiting, utilization].map((value) =>
    value.toFixed(3),
  );
  test.strictSame(rounded, ['2.000', '2000.000', '0.000', '0.250', '0.500', '0.250']);
  test.end();
});

t.test('names of another process are no orders to the terminal', (test) => {
  const before = snapshot();
  const now = { ...before, program: 'a\x1b[2Jb' };
  const lines = viewLines(now, ratesBetween(before, now));
  test.notOk(lines.join('\n').includes('\x1b'));
  test.match(lines[0], /a\?\[2Jb/);
  test.end();
});

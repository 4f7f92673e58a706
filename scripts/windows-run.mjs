// Runs Windows programs on Linux: the real node.exe, or any .exe, under Wine.
//
//   node scripts/windows-run.mjs [--node 22|24|26] [--timeout s] [--env A=B] -- file.js args…
//   node scripts/windows-run.mjs --exe build/…/completion_port_test.exe -- args…
//
// Each program gets a private mount namespace with /proc, /dev, the project (at
// its own path) and the Node cache, then a chroot. The loopback is the machine's.
// Wine's timing says nothing about Windows.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { insideHost } from './chroot-run.mjs';
import { cacheFolder, nodeBinary } from './node-versions.mjs';
import { hostFolder } from './windows-host.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prefixCount = 3;
const prepareSeconds = 180;

/** Variables of this process that mean something to the tests inside. */
function forwarded() {
  const wanted = /^(IOCP_NET_|TAP_|NODE_(OPTIONS|DEBUG|NO_WARNINGS)$|CI$|TZ$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name)));
}

/**
 * A Wine prefix of our own, held by a lock that dies with this process. Tests
 * of two people therefore never share a wineserver.
 */
async function lockPrefix() {
  const attempt = (slot, wait) =>
    new Promise((done) => {
      const lock = join(hostFolder, `var/lib/iocp-net-prefix-${slot}.lock`);
      const holder = spawn('flock', [...wait, lock, 'sh', '-c', 'echo locked; exec cat'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      holder.stdout.once('data', () => done({ slot, release: () => holder.stdin.end() }));
      holder.once('close', () => done(null));
    });
  for (let slot = 0; slot < prefixCount; slot++) {
    const lock = await attempt(slot, ['-n']);
    if (lock) return lock;
  }
  return await attempt(0, []);
}

/**
 * Opens a session: one prefix, one wineserver for many programs.
 *
 * @param {string[]} [shown]  folders that programs see, besides the project and the Node cache
 * @returns {Promise<{ run: Function, close: () => Promise<void> }>}
 */
export async function openWindows(shown = []) {
  mkdirSync(cacheFolder, { recursive: true });
  const host = execFileSync(process.execPath, [join(root, 'scripts/windows-host.mjs')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const lock = await lockPrefix();
  if (!lock) throw new Error('windows-run: no Wine prefix could be locked');
  const prefix = `/var/lib/iocp-net-prefix-${lock.slot}`;
  const scratch = mkdtempSync(join(tmpdir(), 'iocp-net-windows-'));
  const fixed = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/tmp',
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    XDG_RUNTIME_DIR: '/tmp', // or Wine complains on stderr
    // No dialogs about missing Mono or Gecko, no display.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  };

  const killWine = () =>
    new Promise((done) => {
      const server = start(['wineserver', '-k'], { stdio: 'ignore', cwd: '/' });
      server.once('close', done);
    });

  function start(command, { env = {}, cwd = root, stdio }) {
    const seen = [root, cacheFolder, ...shown];
    const [file, ...args] = insideHost({ host, shown: seen, cwd }, command);
    return spawn(file, args, {
      detached: true,
      env: { ...fixed, ...env },
      stdio,
    });
  }

  async function once(command, { env, cwd, timeout }) {
    // Wine's pipes are not Windows pipes, and node.exe minds: use files.
    const files = ['out', 'err'].map((name) => join(scratch, name));
    const fds = files.map((file) => openSync(file, 'w'));
    const child = start(command, { env, cwd, stdio: ['ignore', ...fds] });
    fds.forEach(closeSync);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      // Also takes the children node.exe may have started in this prefix.
      void killWine();
      setTimeout(() => {
        if (child.exitCode === null && child.signalCode === null)
          process.kill(-child.pid, 'SIGKILL');
      }, 5000).unref();
    }, timeout * 1000);
    const code = await new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', (status, signal) => done(status ?? (signal ? 128 : 1)));
    });
    clearTimeout(timer);
    const [stdout, stderr] = files.map((file) => readFileSync(file, 'utf8'));
    return { code: timedOut ? 124 : code, stdout, stderr, timedOut, retried: false };
  }

  /**
   * @param {object} program  either `node` (a version) with `args`, or `exe` with `args`
   * @returns {Promise<{ code: number, stdout: string, stderr: string, timedOut: boolean,
   *   retried: boolean }>}
   */
  async function run({ node = 24, exe, args = [], env = {}, cwd = root, timeout = 120 }) {
    const binary = exe === undefined ? nodeBinary('win', node) : resolve(exe);
    const options = { env: { ...forwarded(), ...env }, cwd, timeout };
    const first = await once(['wine', binary, ...args], options);
    // Now and then node.exe gives up under Wine without a word, whatever it runs.
    if (exe !== undefined || first.code !== 1 || first.stdout !== '' || first.stderr !== '') {
      return first;
    }
    console.error(`windows-run: node.exe exited 1 without a word; trying once more (${args[0]})`);
    return { ...(await once(['wine', binary, ...args], options)), retried: true };
  }

  // Programs run in sessions of their own, so a Ctrl-C does not reach them.
  const interrupted = () => void close().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted);

  async function close() {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted);
    await killWine();
    rmSync(scratch, { recursive: true, force: true });
    lock.release();
  }

  // A killed session leaves its programs behind; the prefix is ours now.
  await killWine();
  // A marker written last: a half-made prefix is made again.
  const marker = join(host, prefix, 'iocp-net-ready');
  const prepare = `[ -e ${prefix}/iocp-net-ready ] || { rm -rf ${prefix}; wine winecfg -v win10 && wineserver -w && : > ${prefix}/iocp-net-ready; }`;
  const prepared = await once(['sh', '-c', prepare], { cwd: '/', timeout: prepareSeconds });
  if (prepared.code !== 0) {
    await close();
    throw new Error(`windows-run: no Wine prefix at ${marker}: ${prepared.stderr}`);
  }
  return { run, close };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      node: { type: 'string', default: '24' },
      exe: { type: 'string' },
      timeout: { type: 'string', default: '120' },
      env: { type: 'string', multiple: true, default: [] },
    },
  });
  const env = Object.fromEntries(
    values.env.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]),
  );
  const cwd = process.cwd().startsWith(root) ? process.cwd() : root;
  const windows = await openWindows();
  try {
    const result = await windows.run({
      node: values.node,
      ...(values.exe === undefined ? {} : { exe: values.exe }),
      args: positionals,
      env,
      cwd,
      timeout: Number(values.timeout),
    });
    process.stdout.write(result.stdout);
    process.stderr.write(result.stderr);
    if (result.timedOut) console.error(`windows-run: timed out after ${values.timeout} s`);
    process.exitCode = result.code;
  } finally {
    await windows.close();
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) await main();

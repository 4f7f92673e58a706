// Where tests run: processes of this machine, or node.exe under Wine. Both give
// `run({ args, env, timeout })`, which answers with { code, signal, timedOut, stdout, stderr }.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { openLoadedWindows, windowsPath } from '../../scripts/windows-session.mjs';

/** Ends what a test left running: every process that has its mark in the environment. */
function endMarked(mark) {
  if (process.platform !== 'linux') return;
  const wanted = `CONFORMANCE_MARK=${mark}\0`;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(wanted)) continue;
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

let serial = 0;

/** Processes of this machine. */
export function nativeHost({ node, scratch, testsFolder }) {
  async function run({ args, env, timeout }) {
    const mark = `${process.pid}.${++serial}`;
    // Files, not pipes: what a test prints last is then never lost.
    const files = ['out', 'err'].map((name) => join(scratch, `${mark}.${name}`));
    const fds = files.map((file) => openSync(file, 'w'));
    const child = spawn(node, args, {
      cwd: join(testsFolder, '..'),
      detached: true,
      env: { ...env, CONFORMANCE_MARK: mark },
      stdio: ['ignore', ...fds],
    });
    fds.forEach(closeSync);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, timeout * 1000);
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (...end) => resolve(end));
    });
    clearTimeout(timer);
    endGroup(child.pid);
    endMarked(mark);
    const [stdout, stderr] = files.map((file) => readFileSync(file, 'utf8'));
    files.forEach((file) => rmSync(file));
    return { code, signal, timedOut, stdout, stderr };
  }
  return { platform: process.platform, jobs: 2, shown: (path) => path, run, close: async () => {} };
}

/** node.exe under Wine, one test at a time; `node` is a version or the path of a node.exe. */
export async function wineHost({ node, scratch, testsFolder }) {
  const windows = await openLoadedWindows([join(testsFolder, '..'), scratch]);
  const exe = isAbsolute(node) || existsSync(node) ? node : undefined;
  const own = { CONFORMANCE_LOOPBACK: 'Loopback Pseudo-Interface 1' };
  async function run({ args, env, timeout }) {
    const program = exe === undefined ? { node } : { exe };
    const options = { cwd: join(testsFolder, '..'), env: { ...own, ...env }, timeout };
    const result = await windows.run({ ...program, args, ...options });
    return { ...result, signal: null };
  }
  return { platform: 'wine', jobs: 1, shown: windowsPath, run, close: windows.close };
}

/** An empty folder for a test's temporary files. Sockets lie there: the path must be short. */
export function emptyFolder(scratch, slot) {
  const folder = join(scratch, `${slot}`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(folder, { recursive: true });
  return folder;
}

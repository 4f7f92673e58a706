// Where tests run: processes of this machine, or node.exe under Wine. Both give
// `run({ args, env, timeout })`, which answers with { code, signal, timedOut, stdout, stderr }.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { runProgram } from '../../scripts/run-program.mjs';
import { openLoadedWindows, windowsPath } from '../../scripts/windows-session.mjs';

/** Processes of this machine. */
export function nativeHost({ node, scratch, testsFolder }) {
  const run = (command) =>
    runProgram({ program: node, cwd: join(testsFolder, '..'), scratch, ...command });
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

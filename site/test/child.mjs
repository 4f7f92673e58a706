// Runs a program of a block, and says how it ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A block that takes longer hangs. */
const LIMIT_MS = 30_000;

/** What the package says where it does not serve a page as the page has it. */
const FALLBACK = /IocpNetWarning/;

/**
 * @returns {{ ended: Promise<{ code: number | null, signal: string | null }>, printed: () => string,
 *   stop: () => void }}
 */
export function start(command, args, { cwd, env = {} }) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a shell's children go with it
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (printed += text));
  }
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  const timer = setTimeout(stop, LIMIT_MS);
  const ended = once(child, 'close').then(([code, signal]) => {
    clearTimeout(timer);
    return { code, signal };
  });
  return { ended, printed: () => printed, stop };
}

/** Throws where it did not end well by itself, or not on the core. */
export async function expectGoodEnd(child) {
  const { code, signal } = await child.ended;
  if (code !== 0) throw new Error(`it ended with ${signal ?? code}:\n${child.printed()}`);
  expectCore(child);
}

export function expectCore(child) {
  if (FALLBACK.test(child.printed())) throw new Error(child.printed());
}

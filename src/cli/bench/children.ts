/** Processes of the benchmark's own. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_MS = 20_000;

/** Starts a program of this folder. */
export function start(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  // What it prints is no result of ours.
  return fork(join(__dirname, program), args, { env, stdio: ['ignore', 2, 2, 'ipc'] });
}

/** The next message of a child; an error when it ends instead, or is silent. */
export async function messageOf<T>(child: ChildProcess, longestMs = LONGEST_MS): Promise<T> {
  const limit = new AbortController();
  try {
    const [first] = (await Promise.race([
      once(child, 'message', { signal: limit.signal }),
      once(child, 'exit', { signal: limit.signal }).then(([code]) => {
        throw new Error(`a process ended with ${String(code)} instead of answering`);
      }),
      sleep(longestMs, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`a process did not answer within ${longestMs / 1000} seconds`);
      }),
    ])) as [T];
    return first;
  } finally {
    limit.abort();
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

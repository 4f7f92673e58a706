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

/** The next message of `child`, which errors call `who`: it has ended instead, or is silent. */
export async function messageOf<T>(
  child: ChildProcess,
  who: string,
  longestMs = LONGEST_MS,
): Promise<T> {
  const limit = new AbortController();
  try {
    const [first] = (await Promise.race([
      once(child, 'message', { signal: limit.signal }),
      once(child, 'exit', { signal: limit.signal }).then(([code, signal]) => {
        throw new Error(`${who} ended with ${String(code ?? signal)} instead of answering`);
      }),
      sleep(longestMs, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`${who} did not answer within ${longestMs / 1000} seconds`);
      }),
    ])) as [T];
    return first;
  } finally {
    limit.abort(); // what lost the race ends by that, of which nobody needs to hear
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

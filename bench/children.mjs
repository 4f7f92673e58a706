// The processes that a benchmark starts. None outlives it.
import { spawn } from 'node:child_process';

const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export const isRunning = (child) => running.has(child);

export function start([file, ...args], stdio) {
  const child = spawn(file, args, { stdio });
  const forget = () => running.delete(child);
  running.add(child);
  return child.once('exit', forget).once('error', forget);
}

/** What a program prints, within so many seconds; an error when it fails. */
export async function output(command, seconds) {
  const child = start(command, ['ignore', 'pipe', 'pipe']);
  const patience = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (printed[name] += text));
  }
  try {
    const [code, signal] = await new Promise((done, failed) => {
      child.once('error', failed).once('close', (...how) => done(how));
    });
    if (code !== 0) {
      throw new Error(printed.stderr.trim() || `${command[0]} ended with ${code ?? signal}`);
    }
    return printed.stdout;
  } finally {
    clearTimeout(patience);
  }
}

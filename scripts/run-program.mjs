// Runs a program of this machine to its end, within a time limit, and ends what it left running.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Ends what a program left running: every process that has its mark in the environment. */
function endMarked(mark) {
  if (process.platform !== 'linux') return;
  const wanted = `RUN_PROGRAM_MARK=${mark}\0`;
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

/** Groups of processes that must not outlive us. */
const running = new Set();
process.once('exit', () => running.forEach(endGroup));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

let serial = 0;

/**
 * @param {object} options
 * @param {string} options.program
 * @param {string[]} options.args
 * @param {string} options.cwd
 * @param {object} options.env  all that it gets
 * @param {number} options.timeout  in seconds
 * @param {string} options.scratch  folder for what it prints
 */
export async function runProgram({ program, args, cwd, env, timeout, scratch }) {
  const mark = `${process.pid}.${++serial}`;
  // Files, not pipes: what a program prints last is then never lost.
  const files = ['out', 'err'].map((name) => join(scratch, `${mark}.${name}`));
  const fds = files.map((file) => openSync(file, 'w'));
  const child = spawn(program, args, {
    cwd,
    detached: true,
    env: { ...env, RUN_PROGRAM_MARK: mark },
    stdio: ['ignore', ...fds],
  });
  fds.forEach(closeSync);
  running.add(child.pid);
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
  running.delete(child.pid);
  endMarked(mark);
  const [stdout, stderr] = files.map((file) => readFileSync(file, 'utf8'));
  files.forEach((file) => rmSync(file));
  return { code, signal, timedOut, stdout, stderr };
}

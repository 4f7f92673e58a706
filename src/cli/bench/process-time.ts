/** Processor time of a process and of all that it has started. */
import { readdirSync } from 'node:fs';
import { readText } from '../read-text';

/** Of the clock in /proc: 100 on all architectures that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/PID/stat, counted behind the name, which may contain anything. */
const SESSION = 3;
/** User and kernel time, and the same of children that have ended. */
const TIMES = [11, 12, 13, 14];

/**
 * Microseconds of all threads of the processes in a session, which is what a detached process and
 * its children are in; null where the system does not tell.
 */
export function sessionTime(session: number): number | null {
  if (process.platform !== 'linux') return null;
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readText(`/proc/${name}/stat`);
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    if (Number(fields[SESSION]) !== session) continue;
    for (const field of TIMES) ticks += Number(fields[field]);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

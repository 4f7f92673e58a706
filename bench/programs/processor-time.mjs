// What a process has cost so far.
import { readFileSync, readdirSync } from 'node:fs';

const nanoseconds = (file) => Number(readFileSync(file, 'utf8').split(' ')[0]);

/** Seconds on a processor: of all threads that live, and of the first, JavaScript's. */
export function processorTime(pid) {
  const tasks = `/proc/${pid}/task`;
  let all = 0;
  for (const task of readdirSync(tasks)) {
    try {
      all += nanoseconds(`${tasks}/${task}/schedstat`);
    } catch {
      // It has ended meanwhile.
    }
  }
  return { all: all / 1e9, main: nanoseconds(`${tasks}/${pid}/schedstat`) / 1e9 };
}

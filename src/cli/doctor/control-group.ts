/** What the control group of this process allows, in either version of control groups. */
import { join } from 'node:path';
import { readNumber, readText } from '../read-text';

const ROOT = '/sys/fs/cgroup';

/** Where the group of a controller is; within a container the path of the host may be missing. */
function folders(controller: string): string[] {
  const line = (readText('/proc/self/cgroup') ?? '')
    .split('\n')
    .map((each) => each.split(':'))
    .find(([, names]) => names === '' || names?.split(',').includes(controller));
  const path = line?.[2] ?? '/';
  const mounts = [ROOT, join(ROOT, controller), join(ROOT, 'cpu,cpuacct')];
  return mounts.flatMap((mount) => [...withParents(mount, path)]);
}

/** A limit of a group above holds, too. */
function* withParents(mount: string, path: string): Generator<string> {
  const parts = path.split('/').filter((part) => part !== '');
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    yield join(mount, ...parts.slice(0, depth));
  }
}

const least = (values: (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
};

function cpuOfSecond(folder: string): number | null {
  const [quota = 'max', period = '100000'] = (readText(join(folder, 'cpu.max')) ?? '').split(' ');
  return /^\d+$/.test(quota) ? Number(quota) / Number(period) : null;
}

function cpuOfFirst(folder: string): number | null {
  const quota = readNumber(join(folder, 'cpu.cfs_quota_us'));
  const period = readNumber(join(folder, 'cpu.cfs_period_us'));
  return quota === null || period === null || quota <= 0 ? null : quota / period;
}

/** Cores' worth of time; null where there is no limit. */
export function cpuLimit(): number | null {
  return least(folders('cpu').flatMap((folder) => [cpuOfSecond(folder), cpuOfFirst(folder)]));
}

/** Bytes; null where there is no limit, which the first version has as a number beyond all memory. */
export function memoryLimit(memoryBytes: number): number | null {
  const limit = least(
    folders('memory').flatMap((folder) => [
      readNumber(join(folder, 'memory.max')),
      readNumber(join(folder, 'memory.limit_in_bytes')),
    ]),
  );
  return limit === null || limit >= memoryBytes ? null : limit;
}

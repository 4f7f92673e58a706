/** Paths of local sockets: what the running Node makes of them before the system sees them. */
import { chmodSync, statSync } from 'node:fs';
import type { ErrorName, Listener } from '../port/contract';
import { nodeMajor } from './node/version';

const isWindows = process.platform === 'win32';

/** Bytes of a path that the system takes at most, where it is not Windows. */
const LONGEST_PATH = 108;

/** Up to Node 22 a path that is too long is cut, in later versions it is an error. */
const cutsPaths = nodeMajor < 24 && !isWindows;

/** Up to Node 20 `readableAll` and `writableAll` add to a socket file's mode, later they are it. */
const addsToMode = nodeMajor < 22 && !isWindows;

/** The bits of a mode that say for whom it is, by Node's constants. */
enum Access {
  Readable = 1,
  Writable = 2,
}

/** Up to Node 20 a name in the abstract namespace is filled up with NULs, which are part of it. */
const fillsAbstract = nodeMajor < 22 && process.platform === 'linux';

/** The path to give to the system. */
export function pathToUse(path: string): string {
  if (fillsAbstract && path.startsWith('\0')) {
    return path + '\0'.repeat(Math.max(0, LONGEST_PATH - Buffer.byteLength(path)));
  }
  if (!cutsPaths || Buffer.byteLength(path) <= LONGEST_PATH) return path;
  return Buffer.from(path).subarray(0, LONGEST_PATH).toString();
}

/** Lets everybody read from, write to, or do both with a socket that listens. */
export function letEverybody(
  listener: Listener | null,
  path: string,
  mode: number,
): ErrorName | null {
  if (listener === null) return 'EBADF';
  const readable = (mode & Access.Readable) !== 0;
  const writable = (mode & Access.Writable) !== 0;
  if (!addsToMode) return listener.setAccess(readable, writable);
  try {
    chmodSync(path, statSync(path).mode | (readable ? 0o444 : 0) | (writable ? 0o222 : 0));
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
  }
}

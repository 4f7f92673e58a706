/**
 * Whether another user could have put a file where it is, or could replace it. By owners and modes;
 * Windows has neither, and gives each user a folder of his own.
 */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const OTHERS_WRITE = 0o002;
/** Of a folder: only its owner takes away what is in it. */
const STICKY = 0o1000;

const isOpen = (mode: number, writers = OTHERS_WRITE): boolean => (mode & writers) !== 0;

/** Whether those of others whose bits `writers` has may take away what is in the folder. */
export function mayBeTakenFrom(folder: string, writers = OTHERS_WRITE): boolean {
  const { mode } = statSync(folder);
  return isOpen(mode, writers) && (mode & STICKY) === 0;
}

/** Throws where others may take away what is in the folder. */
export function checkFolder(folder: string): void {
  if (process.platform === 'win32') return;
  if (mayBeTakenFrom(folder)) throw untrusted(folder);
}

/**
 * Throws unless all of the path belongs to the system, to this process's user or to the owner of the
 * folder that the program is in, and nobody else can write to it.
 * @param path relative to the folder
 */
export function checkPath(folder: string, path: string): void {
  if (process.platform === 'win32') return;
  checkFolder(folder);
  const owners = [0, process.getuid?.(), statSync(folder).uid];
  for (let at = path; at !== '.'; at = dirname(at)) {
    const { mode, uid } = statSync(join(folder, at));
    if (isOpen(mode) || !owners.includes(uid)) throw untrusted(join(folder, at));
  }
}

const untrusted = (path: string): Error => new Error(`other users can write to ${path}`);

/**
 * Where endpoints are: files of sockets that only their user can open, in a folder that only he can
 * enter, and on Windows named pipes.
 */
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { invalidValue } from '../invalid-value';
import { mayBeTakenFrom } from '../port/trusted-path';

const onWindows = process.platform === 'win32';

export const PIPE_FOLDER = '\\\\.\\pipe\\';
const PIPE_PREFIX = 'iocp-net-';
const SUFFIX = '.sock';

/** Of `IOCP_NET_ENDPOINT`: the default place. */
const DEFAULT_PLACE = '1';

const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_ANYTHING = 0o077;

/** The user's own folder of endpoints; it need not be there. Null on Windows, where there is none. */
export function defaultFolder(): string | null {
  if (onWindows) return null;
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  if (runtime) return join(runtime, 'iocp-net');
  return join(tmpdir(), `iocp-net-${process.geteuid?.() ?? 0}`);
}

function ownedFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  const isOurs = found.isDirectory() && found.uid === process.geteuid?.();
  if (isOurs && (found.mode & OTHERS_MAY_ANYTHING) === 0) return folder;
  const error = new Error(`${folder} must be a folder of this user's that nobody else may enter`);
  throw Object.assign(error, { code: 'EACCES' });
}

/** The name of a process's endpoint, or of a worker's. */
const nameOf = (pid: number, thread: number): string =>
  thread === 0 ? `${pid}` : `${pid}-${thread}`;

/** Where the main thread of a process has its endpoint by default. */
export function defaultPath(pid: number, thread = 0): string {
  const folder = defaultFolder();
  if (folder === null) return `${PIPE_FOLDER}${PIPE_PREFIX}${nameOf(pid, thread)}`;
  return join(folder, nameOf(pid, thread) + SUFFIX);
}

/** The process and the thread that the name of an endpoint says; null where it is none of ours. */
export function readName(name: string): { pid: number; thread: number } | null {
  const [start, end] = onWindows ? [PIPE_PREFIX, ''] : ['', SUFFIX];
  if (!name.startsWith(start) || !name.endsWith(end)) return null;
  const found = /^(\d+)(?:-(\d+))?$/.exec(name.slice(start.length, name.length - end.length));
  return found === null ? null : { pid: Number(found[1]), thread: Number(found[2] ?? 0) };
}

/** Whoever could write there could put a socket of his own in the place of ours. */
function checkFolder(folder: string): void {
  if (!mayBeTakenFrom(folder, OTHERS_MAY_WRITE)) return;
  throw Object.assign(new Error(`${folder} may be written by others`), { code: 'EACCES' });
}

function isFolder(path: string): boolean {
  return path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The path to open for what the program gives, or for the default place. */
export function pathToOpen(given: unknown): string {
  if (given === undefined) {
    const folder = defaultFolder();
    if (folder !== null) ownedFolder(folder);
    return defaultPath(process.pid, threadId);
  }
  if (typeof given !== 'string' || given === '' || given.includes('\0')) {
    throw invalidValue('path', given, 'it must be a path');
  }
  if (onWindows) {
    if (/^\\\\[.?]\\pipe\\./.test(given)) return given;
    throw invalidValue('path', given, `it must begin with ${PIPE_FOLDER}`);
  }
  const path = isFolder(given)
    ? join(resolve(given), nameOf(process.pid, threadId) + SUFFIX)
    : resolve(given);
  checkFolder(path.slice(0, path.lastIndexOf(sep)) || sep);
  return path;
}

/**
 * What `IOCP_NET_ENDPOINT` asks for: undefined for the default place. Null where a thread has none:
 * one path is for one, which is the main thread.
 */
export function requestedPath(value: string): string | undefined | null {
  if (value === DEFAULT_PLACE) return undefined;
  return isMainThread || (!onWindows && isFolder(value)) ? value : null;
}

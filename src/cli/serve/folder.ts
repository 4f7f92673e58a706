/**
 * A folder whose files are given out, and nothing outside of it: neither by `..` nor by a symbolic
 * link, nor what is hidden by a dot at the start of its name, or of a folder's above it.
 */
import { constants } from 'node:fs';
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const onWindows = process.platform === 'win32';
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Other names of the same file on Windows: streams, and what it cuts off at the end. */
const isAlias = (name: string): boolean => onWindows && /[:\\]|[. ]$/.test(name);

export type Found =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string };

export interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

export class ServedFolder {
  private constructor(
    readonly root: string,
    readonly showsHidden: boolean,
  ) {}

  /** Throws where there is no such folder. */
  static async open(path: string, showsHidden: boolean): Promise<ServedFolder> {
    const root = await realpath(path);
    if (!(await stat(root)).isDirectory()) throw new Error(`${path} is no folder`);
    return new ServedFolder(root, showsHidden);
  }

  /** Whether it may be given out: a real path, without links. */
  #isInside(real: string): boolean {
    if (real === this.root) return true;
    const below = relative(this.root, real);
    const names = below.split(sep);
    // On another drive, Windows' relative path is absolute.
    if (names[0] === '..' || join(this.root, below) !== real) return false;
    return this.showsHidden || !names.some((name) => name.startsWith('.'));
  }

  /** The names of a path in a URL; null for what is none, or may not be asked for. */
  namesOf(pathname: string): string[] | null {
    let names: string[];
    try {
      names = pathname.split('/').map(decodeURIComponent);
    } catch {
      return null;
    }
    names = names.filter((name) => name !== '');
    const isBad = (name: string): boolean =>
      name === '..' || name === '.' || /[/\0]/.test(name) || isAlias(name);
    if (names.some(isBad)) return null;
    const isHidden = names.some((name) => name.startsWith('.'));
    return isHidden && !this.showsHidden ? null : names;
  }

  /** What is there; null where nothing is, or nothing that may be given out. */
  async find(names: readonly string[]): Promise<Found | null> {
    try {
      const path = await realpath(join(this.root, ...names));
      if (!this.#isInside(path)) return null;
      const found = await stat(path);
      if (found.isDirectory()) return { kind: 'folder', path };
      // A pipe or a device would block, or never end.
      return found.isFile() ? { kind: 'file', path } : null;
    } catch {
      return null;
    }
  }

  /** Opens a file that was found. Null where it has become something else meanwhile. */
  async openFile({ path }: Found): Promise<FileHandle | null> {
    let handle: FileHandle;
    try {
      handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch {
      return null;
    }
    try {
      // A folder above it may have been exchanged for a link: what counts is what was opened.
      const opened = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path;
      const isGood = this.#isInside(await realpath(opened)) && (await handle.stat()).isFile();
      if (isGood) return handle;
    } catch {
      // It is gone.
    }
    await handle.close();
    return null;
  }

  /** What of a folder is given out, in order. */
  async list(names: readonly string[], { path }: Found): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const { name } of await readdir(path, { withFileTypes: true })) {
      if (name.startsWith('.') && !this.showsHidden) continue;
      const found = await this.find([...names, name]);
      if (found !== null) entries.push({ name, isFolder: found.kind === 'folder' });
    }
    return entries.sort(
      (a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.name < b.name ? -1 : 1),
    );
  }
}

/**
 * The bytes of the addon as a file, which is all that a system's loader takes. Nobody but this
 * process's user can write to it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFolder } from './trusted-path';

/** The file can go once it is loaded. */
function withTemporaryFile<Result>(bytes: Uint8Array, use: (file: string) => Result): Result {
  const parent = tmpdir();
  checkFolder(parent);
  const folder = mkdtempSync(join(parent, 'iocp-net-')); // nobody else's: its mode is 0700
  try {
    const file = join(folder, 'iocp-net.node');
    writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 });
    return use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function holds(file: string, bytes: Uint8Array): boolean {
  try {
    return readFileSync(file).equals(bytes);
  } catch {
    return false;
  }
}

/**
 * Windows deletes no file that is loaded. So there is one for all processes, named by what is in it,
 * in the folder that Windows gives each user for himself.
 */
function withKeptFile<Result>(bytes: Uint8Array, use: (file: string) => Result): Result {
  const local = process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  const folder = join(local, 'iocp-net');
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const file = join(folder, `${digest}.node`);
  if (!holds(file, bytes)) {
    const partial = join(folder, `${randomUUID()}.partial`);
    try {
      writeFileSync(partial, bytes, { flag: 'wx' });
      renameSync(partial, file);
    } catch (error) {
      rmSync(partial, { force: true });
      if (!holds(file, bytes)) throw error; // unless another process was faster
    }
  }
  return use(file);
}

export const withAddonFile = process.platform === 'win32' ? withKeptFile : withTemporaryFile;

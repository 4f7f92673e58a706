// Node's own tests, from Debian 13's source package of Node 20: what npm and apt have of them.
//
//   node scripts/node-tests.mjs        prints the folder
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './node-versions.mjs';
import { mirror } from './windows-host.mjs';

const kept = join(cacheFolder, 'node-tests-20');

/** The archive of the source, in this folder. Nothing of the machine's apt is changed. */
function download(folder) {
  const lists = join(folder, 'lists');
  const sources = join(folder, 'sources.list');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  writeFileSync(sources, `deb-src ${mirror()} trixie main\n`);
  const options = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': lists,
    'Dir::Cache': folder,
    'APT::Sandbox::User': '',
  };
  const own = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = (...args) =>
    execFileSync('apt-get', ['-qq', ...own, ...args], { cwd: folder, stdio: 'pipe' });
  const archive = () => readdirSync(folder).find((name) => /^nodejs_.*\.orig\.tar\.xz$/.test(name));
  apt('update');
  try {
    apt('--download-only', 'source', 'nodejs');
  } catch (error) {
    // A mirror may lack Debian's own part, which is not wanted here.
    if (archive() === undefined) throw error;
  }
  return join(folder, archive());
}

/** @returns {string} the `test` folder of Node 20's source, fetched where missing */
export function nodeTests() {
  if (existsSync(kept)) return kept;
  mkdirSync(cacheFolder, { recursive: true });
  const partial = mkdtempSync(join(cacheFolder, 'partial-'));
  try {
    const archive = download(partial);
    const unpack = ['-xJf', archive, '--strip-components=1', '--wildcards', '*/test/*'];
    execFileSync('tar', unpack, { cwd: partial, stdio: 'pipe' });
    renameSync(join(partial, 'test'), kept);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return kept;
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(nodeTests());

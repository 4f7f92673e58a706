// Node's own tests, from Debian 13's source package of Node 20: what npm and apt have of them.
//
//   node scripts/node-tests.mjs        prints the folder
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { cached } from './node-versions.mjs';
import { mirror } from './debian-host.mjs';

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
  return cached('node-tests-20', 'test', (folder) => {
    const source = join(folder, 'source');
    const tests = ['--wildcards', '--no-wildcards-match-slash', '*/test'];
    const unpack = ['-xJf', download(source), '--strip-components=1', ...tests];
    execFileSync('tar', unpack, { cwd: folder, stdio: 'pipe' });
    rmSync(source, { recursive: true });
  });
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(nodeTests());

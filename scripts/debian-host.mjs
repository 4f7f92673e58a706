// Folders with a Debian of its own in them, to be entered by chroot (chroot-run.mjs); and packages
// of the Debian that this is. Both need root.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
const noninteractive = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };

const has = (program) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/**
 * @param {Record<string, string>} wanted  a package by a program that it brings, or by a file of it
 */
export function installDebianPackages(wanted) {
  const missing = Object.entries(wanted)
    .filter(([file]) => (file.startsWith('/') ? !existsSync(file) : !has(file)))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  console.error(`installing ${missing.join(' ')}`);
  const options = { ...quiet, env: noninteractive };
  execFileSync('apt-get', ['update', '-qq'], options);
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
}

/** The Debian mirror this machine's apt already uses. */
export function mirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  files.push('/etc/apt/sources.list');
  const uris = files
    .filter((file) => /\.(sources|list)$/.test(file) && existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .map((line) => /^\s*(?:URIs:|deb\s+(?:\[[^\]]*\]\s*)?)\s*(\S+)/.exec(line)?.[1])
    .filter((uri) => uri !== undefined && /\bdebian\/?$/.test(uri));
  if (uris.length === 0) throw new Error('debian-host: no Debian mirror in the apt sources');
  return uris[0];
}

/** Reads the apt proxy of this machine, so that the new folder uses it too. */
function aptProxy() {
  const lines = execFileSync('apt-config', ['dump'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => /^Acquire::https?::Proxy\b/i.test(line)).join('\n');
}

/**
 * Nothing is left where it cannot be made.
 *
 * @param {{ folder: string, release: string, packages: string[] }} options  the release by its
 *   name, and what is installed beyond its smallest form
 */
export function makeDebian({ folder, release, packages }) {
  const partial = `${folder}.partial`;
  execFileSync('rm', ['--one-file-system', '-rf', partial], quiet);
  execFileSync('mkdir', ['-p', dirname(folder)], quiet);
  execFileSync('debootstrap', ['--variant=minbase', release, partial, mirror()], quiet);
  writeFileSync(join(partial, 'etc/apt/apt.conf.d/90proxy'), `${aptProxy()}\n`);
  const install = [
    'apt-get update -qq',
    `apt-get install -y -qq --no-install-recommends ${packages.join(' ')}`,
    'apt-get clean',
  ];
  execFileSync('chroot', [partial, 'sh', '-ec', install.join('\n')], {
    ...quiet,
    env: noninteractive,
  });
  renameSync(partial, folder);
}

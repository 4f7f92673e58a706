// Makes the folder in which Windows programs run on Linux: Debian 13 with
// Wine, because older Wines do not start Node 24. About 90 s the first time,
// root only. Nothing is ever mounted outside private namespaces.
//
//   node scripts/windows-host.mjs        prints the folder
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

export const hostFolder = process.env.IOCP_NET_WINE_ROOT ?? '/var/cache/iocp-net-wine';

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

function installTools() {
  const missing = [
    ['debootstrap', 'debootstrap'],
    ['x86_64-w64-mingw32-g++-posix', 'g++-mingw-w64-x86-64-posix'],
  ]
    .filter(([program]) => !has(program))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  console.error(`windows-host: installing ${missing.join(' ')}`);
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
  if (uris.length === 0) throw new Error('windows-host: no Debian mirror in the apt sources');
  return uris[0];
}

/** Reads the apt proxy of this machine, so that the new folder uses it too. */
function aptProxy() {
  const lines = execFileSync('apt-config', ['dump'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => /^Acquire::https?::Proxy\b/i.test(line)).join('\n');
}

function make(folder) {
  const partial = `${folder}.partial`;
  console.error(`windows-host: making ${folder} (Debian 13 with Wine, about 90 s)`);
  execFileSync('rm', ['--one-file-system', '-rf', partial], quiet);
  execFileSync('mkdir', ['-p', dirname(folder)], quiet);
  execFileSync('debootstrap', ['--variant=minbase', 'trixie', partial, mirror()], quiet);
  writeFileSync(join(partial, 'etc/apt/apt.conf.d/90proxy'), `${aptProxy()}\n`);
  const install = [
    'apt-get update -qq',
    'apt-get install -y -qq --no-install-recommends wine wine64',
    'apt-get clean',
  ];
  execFileSync('chroot', [partial, 'sh', '-ec', install.join('\n')], {
    ...quiet,
    env: noninteractive,
  });
  renameSync(partial, folder);
}

/** Makes what is missing; returns at once when everything is there. */
export function ensureWindowsHost() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('windows-host: needs root on Linux (chroot and mounts)');
  }
  installTools();
  if (existsSync(join(hostFolder, 'usr/lib/wine/wine64'))) return hostFolder;
  if (existsSync(hostFolder)) {
    // rename() below replaces an empty folder only: never delete what is not ours.
    if (readdirSync(hostFolder).length > 0) {
      throw new Error(`windows-host: ${hostFolder} exists but holds no Wine; remove it`);
    }
  }
  make(hostFolder);
  return hostFolder;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const lock = '/run/lock/iocp-net-wine.lock';
  if (process.env.IOCP_NET_WINE_LOCKED === undefined) {
    // Two first runs at once must not make it twice.
    execFileSync('flock', [lock, process.execPath, argv[1]], {
      stdio: 'inherit',
      env: { ...process.env, IOCP_NET_WINE_LOCKED: '1' },
    });
  } else {
    console.log(ensureWindowsHost());
  }
}

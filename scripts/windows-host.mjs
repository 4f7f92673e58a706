// Makes the folder in which Windows programs run on Linux: Debian 13 with
// Wine, because older Wines do not start Node 24. About 90 s the first time,
// root only. Nothing is ever mounted outside private namespaces.
//
//   node scripts/windows-host.mjs        prints the folder
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { installDebianPackages, makeDebian } from './debian-host.mjs';

export const hostFolder = process.env.IOCP_NET_WINE_ROOT ?? '/var/cache/iocp-net-wine';

/** Makes what is missing; returns at once when everything is there. */
export function ensureWindowsHost() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('windows-host: needs root on Linux (chroot and mounts)');
  }
  installDebianPackages({
    debootstrap: 'debootstrap',
    'x86_64-w64-mingw32-g++-posix': 'g++-mingw-w64-x86-64-posix',
  });
  if (existsSync(join(hostFolder, 'usr/lib/wine/wine64'))) return hostFolder;
  if (existsSync(hostFolder)) {
    // rename() below replaces an empty folder only: never delete what is not ours.
    if (readdirSync(hostFolder).length > 0) {
      throw new Error(`windows-host: ${hostFolder} exists but holds no Wine; remove it`);
    }
  }
  console.error(`windows-host: making ${hostFolder} (Debian 13 with Wine, about 90 s)`);
  makeDebian({ folder: hostFolder, release: 'trixie', packages: ['wine', 'wine64'] });
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

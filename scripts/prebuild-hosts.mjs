// Where the binaries of the package are loaded besides this machine's own Node: the oldest
// distribution that they are for, another architecture, another C library.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { insideHost } from './chroot-run.mjs';
import { installDebianPackages, makeDebian } from './debian-host.mjs';
import { root } from './gyp.mjs';
import { cacheFolder, nodeBinary } from './node-versions.mjs';

const require = createRequire(import.meta.url);

const oldDebian = process.env.IOCP_NET_DEBIAN_11_ROOT ?? '/var/cache/iocp-net-debian-11';
const arm64Libraries = '/usr/aarch64-linux-gnu';
const muslLoader = '/lib/ld-musl-x86_64.so.1';

/**
 * @typedef {object} Host
 * @property {string} name
 * @property {string} target  whose binary it loads
 * @property {string[]} nodes  versions of Node that run there
 * @property {() => void} make  what is missing of it; throws where that cannot be had
 * @property {(options: { project: string, node: string, program: string[] }) => string[]} command
 */

/** Debian 11 has glibc 2.31 and the libstdc++ of GCC 10. Older ones that live have left apt. */
const debian11 = {
  name: 'Debian 11',
  target: 'linux-x64-glibc',
  nodes: ['20', '22', '24', '26'],
  make() {
    installDebianPackages({ debootstrap: 'debootstrap' });
    if (existsSync(join(oldDebian, 'usr'))) return;
    console.error(`making ${oldDebian} (Debian 11, about a minute)`);
    makeDebian({ folder: oldDebian, release: 'bullseye', packages: ['libstdc++6', 'libatomic1'] });
  },
  command: ({ project, node, program }) =>
    insideHost({ host: oldDebian, shown: [cacheFolder], cwd: project }, [
      nodeBinary('linux', node),
      ...program,
    ]),
};

/** The processor is emulated, the kernel is ours. */
const arm64 = {
  name: 'linux-arm64 under qemu',
  target: 'linux-arm64-glibc',
  nodes: ['20', '24'],
  make() {
    installDebianPackages({
      'qemu-aarch64': 'qemu-user',
      [`${arm64Libraries}/lib/libc.so.6`]: 'libc6-arm64-cross',
      [`${arm64Libraries}/lib/libstdc++.so.6`]: 'libstdc++6-arm64-cross',
      [`${arm64Libraries}/lib/libgcc_s.so.1`]: 'libgcc-s1-arm64-cross',
    });
  },
  command: ({ node, program }) => [
    ...['qemu-aarch64', '-L', arm64Libraries, nodeBinary('linux', node, 'arm64')],
    ...program,
  ],
};

/** @type {Host[]} */
export const hosts = [debian11, arm64];

/**
 * There is no Node for musl in npm or apt. So musl's own loader loads the addon into a program that
 * has functions by the names of Node-API, and nothing else: every other symbol has to be musl's.
 *
 * @param {string} file  the addon
 * @returns {string[]} the command, which prints TAP
 */
export function loadWithMusl(file) {
  installDebianPackages({ 'musl-gcc': 'musl-tools' });
  const folder = mkdtempSync(join(cacheFolder, 'musl-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const versions = Object.values(require('node-api-headers').symbols);
  const names = new Set(versions.flatMap((version) => Object.values(version).flat()));
  const stand = join(folder, 'node_api.c');
  writeFileSync(stand, [...names].map((name) => `int ${name}(void) { return 9; }\n`).join(''));
  const made = join(folder, 'load-addon');
  const source = join(root, 'test/package/load_addon.c');
  execFileSync('musl-gcc', ['-rdynamic', '-o', made, source, stand], { stdio: 'inherit' });
  return [muslLoader, made, file];
}

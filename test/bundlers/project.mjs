// An empty project with what is packed of the package, the bundlers and the program that is bundled.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../../scripts/gyp.mjs';

const here = import.meta.dirname;

export const binary = 'prebuilds/linux-x64/iocp-net.glibc.node';

function unpack(modules) {
  const packed = mkdtempSync(join(tmpdir(), 'iocp-net-packed-'));
  try {
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed];
    execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('tar', ['-xzf', join(packed, readdirSync(packed)[0]), '-C', packed]);
    cpSync(join(packed, 'package'), join(modules, 'iocp-net'), { recursive: true });
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

/** @returns {string} its folder, in which nobody else finds a package of ours */
export function makeProject() {
  const project = mkdtempSync(join(tmpdir(), 'iocp-net-bundlers-'));
  const modules = join(project, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(here, 'node_modules'))) {
    if (name === 'node-gyp-build') continue;
    symlinkSync(join(here, 'node_modules', name), join(modules, name));
  }
  cpSync(join(root, 'node_modules/node-gyp-build'), join(modules, 'node-gyp-build'), {
    recursive: true,
  });
  unpack(modules);
  cpSync(join(here, 'fixtures'), project, { recursive: true });
  return project;
}

/** Without binaries, or with that of this machine alone, as it is built here. */
export function setBinary(project, isThere) {
  const folder = join(project, 'node_modules/iocp-net');
  rmSync(join(folder, 'prebuilds'), { recursive: true, force: true });
  mkdirSync(join(folder, dirname(binary)), { recursive: true });
  if (isThere) copyFileSync(join(root, 'build/Release/iocp_net.node'), join(folder, binary));
}

// The packages of test/programs, installed where they are missing or out of date.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './gyp.mjs';

const folder = join(root, 'test/programs');

/** npm writes its own list last: older than ours means out of date. */
function isInstalled() {
  const made = join(folder, 'node_modules/.package-lock.json');
  const wanted = join(folder, 'package-lock.json');
  return existsSync(made) && statSync(made).mtimeMs >= statSync(wanted).mtimeMs;
}

/** Before anything of test/programs is imported. */
export function installProgramPackages() {
  if (isInstalled()) return;
  // npm makes addons where it can; the programs do without.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

// Folders with a list of npm packages of their own, which are heavy and which most people who work
// here never need: installed where something asks for them, in the exact versions of their lists.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** npm writes its own list last: older than ours means out of date. */
function isInstalled(folder) {
  const made = join(folder, 'node_modules/.package-lock.json');
  const wanted = join(folder, 'package-lock.json');
  return existsSync(made) && statSync(made).mtimeMs >= statSync(wanted).mtimeMs;
}

/** Before anything of `folder` is imported. */
export function installPackages(folder) {
  if (isInstalled(folder)) return;
  // npm makes addons where it can; whoever asks here does without.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

// Programs that people run, with iocp-net/register under them (test/programs).
//
//   node scripts/test-programs.mjs [--wine] [--node 24] [--control] [--full] [--complete] [part of a
//                                  name…]
//
// --wine runs those meant for it, or the servers named, in node.exe; --control runs all on Node's own
// net; --full sends bodies of 4 GiB instead of 256 MiB; with --complete it fails where a server or a
// tool that it needs is not installed. The packages of npm are installed where they are missing.
// Ends with "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './gyp.mjs';

const folder = join(root, 'test/programs');

/** npm writes its own list last: older than ours means out of date. */
function isInstalled() {
  const made = join(folder, 'node_modules/.package-lock.json');
  const wanted = join(folder, 'package-lock.json');
  return existsSync(made) && statSync(made).mtimeMs >= statSync(wanted).mtimeMs;
}

build({});
if (!isInstalled()) {
  // npm makes addons where it can; the programs do without.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}
// Its modules need the packages.
await import('../test/programs/run.mjs');

// The package where it has no binary, as on macOS: node:net serves, one warning says why, and what
// was imported works. On any platform that Node runs on, because nothing is compiled.
//
//   node scripts/test-fallback.mjs
//
// Ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './gyp.mjs';
import { countTap } from './tap-count.mjs';

const program = 'serve-and-connect.mjs';

/** A project with the package in it, as it is in the tarball but for the binaries. */
function project() {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-fallback-'));
  const modules = join(folder, 'node_modules');
  for (const part of ['dist', 'package.json']) {
    cpSync(join(root, part), join(modules, 'iocp-net', part), { recursive: true });
  }
  cpSync(join(root, 'node_modules/node-gyp-build'), join(modules, 'node-gyp-build'), {
    recursive: true,
  });
  copyFileSync(join(root, 'test/package', program), join(folder, program));
  return folder;
}

build({ addon: false });
const folder = project();
try {
  // Empty: what the system offers.
  const env = { ...process.env, IOCP_NET_BACKEND: '' };
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, 'node'], {
    cwd: folder,
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  console.log(stdout);
  const { passed, failed } = countTap(stdout, status ?? 1);
  if (failed > 0) console.log(stderr);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

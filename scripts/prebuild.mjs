// Fills prebuilds/ for the package: this Linux by prebuildify, Windows by mingw.
// The script that compiles is not named `build`, or npm would run this before each.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { headerEnvironment } from './build.mjs';
import { crossBuildAddon } from './cross-build.mjs';
import { root } from './gyp.mjs';

const require = createRequire(import.meta.url);

const prebuildify = require.resolve('prebuildify/bin.js');
execFileSync(process.execPath, [prebuildify, '--napi', '--strip'], {
  cwd: root,
  env: {
    ...headerEnvironment(),
    // prebuildify looks for node-gyp on the path.
    PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
  },
  stdio: 'inherit',
});

const windows = join(root, 'prebuilds/win32-x64/iocp-net.node');
mkdirSync(dirname(windows), { recursive: true });
copyFileSync(crossBuildAddon(), windows);
execFileSync('x86_64-w64-mingw32-strip', ['--strip-unneeded', windows], { stdio: 'inherit' });

// A package without one of them would be published in silence otherwise.
for (const file of ['linux-x64/iocp-net.node', 'win32-x64/iocp-net.node']) {
  const path = join(root, 'prebuilds', file);
  if (!existsSync(path)) throw new Error(`prebuild: ${file} was not made`);
  console.log(`${file}: ${Math.ceil(statSync(path).size / 1024)} KiB`);
}

// Fills prebuilds/ for the package, on linux-x64: Linux by prebuildify with zig as its compiler,
// Windows on x64 by mingw and on ARM64 by zig (scripts/cross-build.mjs).
//
//   node scripts/prebuild.mjs [--only linux-x64-glibc,win32-x64] [--out DIR]
//
// The script that compiles is not named `build`, or npm would run this before each.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { argv } from 'node:process';
import { parseArgs } from 'node:util';
import { headerEnvironment } from './build.mjs';
import { crossBuildAddon } from './cross-build.mjs';
import { root } from './gyp.mjs';
import { targets, targetsNamed } from './prebuild-targets.mjs';
import { zigFor } from './zig.mjs';

const require = createRequire(import.meta.url);

/**
 * Always the same folder, since node-gyp writes down where it compiles; not the checkout, whose own
 * build it would empty.
 */
function stage() {
  const folder = join(root, 'build/prebuild');
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['package.json', 'binding.gyp', 'deps', 'src/binding']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  return folder;
}

function prebuildForLinux({ arch, libc, triple }, out) {
  const { cc, cxx, ar, env } = zigFor(triple);
  const prebuildify = require.resolve('prebuildify/bin.js');
  const options = [`--platform=linux`, `--arch=${arch}`, `--tag-libc=${libc}`, `--out=${out}`];
  execFileSync(process.execPath, [prebuildify, '--napi', ...options], {
    cwd: stage(),
    env: {
      ...headerEnvironment(),
      ...env,
      CC: cc,
      CXX: cxx,
      AR: ar,
      // The linker strips: the system's `strip` knows one architecture, and not every file of lld's.
      LDFLAGS: '-s',
      npm_config_jobs: String(availableParallelism()),
      npm_config_loglevel: 'warn',
      // Of zig's links that optimize, only this one was seen to end.
      npm_config_link_time: arch === 'x64' && libc === 'glibc' ? '1' : '0',
      // prebuildify looks for node-gyp on the path.
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
    },
    stdio: 'inherit',
  });
}

function prebuildForWindows(target, out, fresh) {
  const file = join(out, 'prebuilds', target.file);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(crossBuildAddon({ ...target, strip: true, fresh }), file);
}

/**
 * @param {import('./prebuild-targets.mjs').Target} target
 * @param {string} [out]  the folder that has, or gets, a folder prebuilds
 * @param {{ fresh?: boolean }} [options]  false: for Windows, what the tests there have compiled is
 *   linked once more
 * @returns {string} the file made
 */
export function prebuild(target, out = root, { fresh = true } = {}) {
  const file = join(out, 'prebuilds', target.file);
  rmSync(file, { force: true });
  if (target.platform === 'linux') prebuildForLinux(target, out);
  else prebuildForWindows(target, out, fresh);
  // A package without one of them would be published in silence otherwise.
  if (!existsSync(file)) throw new Error(`prebuild: ${target.file} was not made`);
  return file;
}

if (argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, out: { type: 'string', default: root } },
  });
  const chosen = values.only === undefined ? targets : targetsNamed(values.only);
  const out = resolve(values.out);
  // What an earlier run left, perhaps by another name, is not to be published with it.
  if (values.only === undefined) {
    for (const { platform, arch } of chosen) {
      rmSync(join(out, 'prebuilds', `${platform}-${arch}`), { recursive: true, force: true });
    }
  }
  for (const target of chosen) {
    const begin = performance.now();
    const size = Math.ceil(statSync(prebuild(target, out)).size / 1024);
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.log(`${target.file}: ${size} KiB, ${seconds} s`);
  }
}

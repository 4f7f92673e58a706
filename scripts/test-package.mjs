// The tarball as a user gets it: prebuilt binaries, packed, installed with --ignore-scripts into an
// empty project, run by every supported Node, natively, where io_uring is forbidden, as node.exe, on
// other systems (prebuild-hosts.mjs), and built from its sources.
//
//   node scripts/test-package.mjs [--targets all | linux-x64-glibc,win32-x64] [--twice]
//                                 [--built] [--native 20,22,24,26] [--windows 22,24,26] [--no-source]
//
// --targets are those of prebuild.mjs that are made and looked at, but with --built those that are
// there are taken; --twice makes all anew, and again, and compares. Ends with "N passed, N failed".
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { checkPrebuilds } from './check-prebuilds.mjs';
import { root } from './gyp.mjs';
import { cacheFolder, nodeBinary } from './node-versions.mjs';
import { buildFromSource } from './package-from-source.mjs';
import { hosts, loadWithMusl } from './prebuild-hosts.mjs';
import { prebuild } from './prebuild.mjs';
import { targets, targetsNamed } from './prebuild-targets.mjs';
import { countTap } from './tap-count.mjs';
import { openWindows } from './windows-run.mjs';

const program = 'serve-and-connect.mjs';

const { values } = parseArgs({
  options: {
    native: { type: 'string', default: '20,22,24,26' },
    windows: { type: 'string', default: '22,24,26' },
    targets: { type: 'string', default: 'linux-x64-glibc,win32-x64' },
    built: { type: 'boolean', default: false },
    twice: { type: 'boolean', default: false },
    'no-source': { type: 'boolean', default: false },
  },
});
const chosen = values.targets === 'all' ? targets : targetsNamed(values.targets);
const hasTarget = (name) => chosen.some((target) => target.name === name);
const listOf = (text) => text.split(',').filter(Boolean);

const total = { passed: 0, failed: 0 };

function report(name, { stdout, stderr, code }) {
  const count = countTap(stdout, code);
  total.passed += count.passed;
  total.failed += count.failed;
  console.log(
    `${count.failed ? 'not ok' : 'ok'} - ${name}: ${count.passed} passed, ${count.failed} failed`,
  );
  if (count.failed) console.log(`${stdout}\n${stderr}`.replace(/^/gm, '  | '));
}

/** One check that has no output of its own. */
function expect(holds, name) {
  total[holds ? 'passed' : 'failed'] += 1;
  console.log(`${holds ? 'ok' : 'not ok'} - ${name}`);
}

/** What an earlier run left is not packed with it. */
function makePrebuilds() {
  for (const { platform, arch } of targets) {
    rmSync(join(root, 'prebuilds', `${platform}-${arch}`), { recursive: true, force: true });
  }
  for (const target of chosen) {
    const begin = performance.now();
    prebuild(target, root, { fresh: values.twice });
    console.log(`# ${target.name}: ${Math.round((performance.now() - begin) / 1000)} s`);
  }
}

/** An empty project with nothing but the tarball; under the cache, which node.exe can see. */
function installedProject() {
  if (!values.built) makePrebuilds();
  build({ addon: false });
  mkdirSync(cacheFolder, { recursive: true });
  const project = mkdtempSync(join(cacheFolder, 'package-'));
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(project).find((file) => file.endsWith('.tgz'));
  writeFileSync(join(project, 'package.json'), '{"name": "empty", "private": true}\n');
  execFileSync('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', `./${tarball}`], {
    cwd: project,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  copyFileSync(join(root, 'test/package', program), join(project, program));
  return project;
}

/** Compiled into the project. It leaves programs no io_uring, as containers do. */
function withoutIoUring(project) {
  const made = join(project, 'without-io-uring');
  const source = join(root, 'test/package/without_io_uring.cc');
  const compiler = process.env.CXX ?? 'c++';
  execFileSync(compiler, ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-o', made, source], {
    stdio: 'inherit',
  });
  return made;
}

/** `[name, command]` of each way in which one Node runs the program. */
function nativeRuns(version, launcher) {
  const node = nodeBinary('linux', version);
  const forbidden = (error) => [
    `Linux without io_uring (${error}), Node ${version}`,
    [launcher, error, node, program, 'epoll'],
  ];
  return [[`Linux, Node ${version}`, [node, program]], forbidden('EPERM'), forbidden('ENOSYS')];
}

function runNatively(project) {
  const versions = listOf(values.native);
  const launcher = versions.length > 0 && withoutIoUring(project);
  for (const [name, [file, ...args]] of versions.flatMap((each) => nativeRuns(each, launcher))) {
    const result = spawnSync(file, args, { cwd: project, encoding: 'utf8', timeout: 60_000 });
    report(name, { ...result, code: result.status ?? 1 });
  }
}

/** That nobody gets the binary for another C library, architecture or system. */
function checkChoice(project) {
  const choose = `console.log(require('node-gyp-build').path('node_modules/iocp-net'))`;
  for (const target of targets) {
    const env = {
      ...process.env,
      LIBC: target.libc ?? '',
      npm_config_arch: target.arch,
      npm_config_platform: target.platform,
    };
    const { stdout, stderr } = spawnSync('node', ['-e', choose], {
      cwd: project,
      env,
      encoding: 'utf8',
    });
    const isThere = existsSync(join(project, 'node_modules/iocp-net/prebuilds', target.file));
    const good = isThere
      ? stdout.trim().endsWith(join('prebuilds', target.file))
      : stderr.includes('No native build was found');
    expect(good, `node-gyp-build on ${target.name}: ${stdout.trim() || 'none'}`);
  }
}

function checkReproduced(project) {
  for (const target of chosen) {
    const again = readFileSync(prebuild(target, join(root, 'build/prebuilt-again')));
    const published = join(project, 'node_modules/iocp-net/prebuilds', target.file);
    expect(again.equals(readFileSync(published)), `${target.name}: two builds are the same bytes`);
  }
}

/** False where it cannot be made here, which is said. */
function makeHost({ name, make }) {
  try {
    make();
    return true;
  } catch (error) {
    console.log(`ok - ${name} # SKIP ${error.message.split('\n')[0]}`);
    return false;
  }
}

function runElsewhere(project) {
  for (const host of hosts.filter(({ target }) => hasTarget(target))) {
    if (!makeHost(host)) continue;
    for (const node of host.nodes) {
      const [file, ...args] = host.command({ project, node, program: [program] });
      const options = { cwd: project, encoding: 'utf8', timeout: 180_000 };
      const result = spawnSync(file, args, options);
      report(`${host.name}, Node ${node}`, { ...result, code: result.status ?? 1 });
    }
  }
  if (!hasTarget('linux-x64-musl')) return;
  const [{ file: addon }] = targetsNamed('linux-x64-musl');
  const [file, ...args] = loadWithMusl(join(project, 'node_modules/iocp-net/prebuilds', addon));
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: 60_000 });
  report("musl's loader", { ...result, code: result.status ?? 1 });
}

async function runOnWindows(project) {
  const versions = hasTarget('win32-x64') ? listOf(values.windows) : [];
  if (versions.length === 0) return;
  const windows = await openWindows();
  try {
    for (const node of versions) {
      const args = [join(project, program)];
      report(`node.exe ${node}`, await windows.run({ node, args, cwd: project, timeout: 120 }));
    }
  } finally {
    await windows.close();
  }
}

/** Last, since it takes the prebuilt binaries away. */
function runFromSource(project) {
  report('npx iocp-net build', buildFromSource(project));
  for (const version of listOf(values.native)) {
    const node = nodeBinary('linux', version);
    const result = spawnSync(node, [program], { cwd: project, encoding: 'utf8', timeout: 60_000 });
    report(`built from source, Node ${version}`, { ...result, code: result.status ?? 1 });
  }
}

const project = installedProject();
try {
  const { passed, failed } = checkPrebuilds(join(project, 'node_modules/iocp-net'), chosen);
  total.passed += passed;
  total.failed += failed;
  checkChoice(project);
  if (values.twice) checkReproduced(project);
  if (hasTarget('linux-x64-glibc')) runNatively(project);
  runElsewhere(project);
  await runOnWindows(project);
  if (!values['no-source']) runFromSource(project);
} finally {
  rmSync(project, { recursive: true, force: true });
}

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

// The tarball as a user gets it: prebuilt binaries, packed, installed with --ignore-scripts into an
// empty project, run by every supported Node, natively, where io_uring is forbidden, and as node.exe.
//
//   node scripts/test-package.mjs [--native 20,22,24,26] [--windows 22,24,26]
//
// Ends with "N passed, N failed".
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { checkHardening } from './check-hardening.mjs';
import { root } from './gyp.mjs';
import { cacheFolder, nodeBinary } from './node-versions.mjs';
import { countTap } from './tap-count.mjs';
import { openWindows } from './windows-run.mjs';

const program = 'serve-and-connect.mjs';

const { values } = parseArgs({
  options: {
    native: { type: 'string', default: '20,22,24,26' },
    windows: { type: 'string', default: '22,24,26' },
  },
});
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

/** An empty project with nothing but the tarball; under the cache, which node.exe can see. */
function installedProject() {
  execFileSync('node', ['scripts/prebuild.mjs'], { cwd: root, stdio: 'inherit' });
  build({}); // prebuildify empties the folder of the local build
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

/** What is published, not what a compiler would do here. */
function checkPrebuilds(project) {
  const folder = join(project, 'node_modules/iocp-net/prebuilds');
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.node'));
  const good = files.length > 0 && checkHardening(files.map((file) => join(folder, file)));
  total[good ? 'passed' : 'failed'] += 1;
}

const project = installedProject();
try {
  checkPrebuilds(project);
  runNatively(project);
  const windows = listOf(values.windows).length > 0 ? await openWindows() : null;
  try {
    for (const node of listOf(values.windows)) {
      const args = [join(project, program)];
      report(`node.exe ${node}`, await windows.run({ node, args, cwd: project, timeout: 120 }));
    }
  } finally {
    await windows?.close();
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

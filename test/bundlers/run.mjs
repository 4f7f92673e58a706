// Makes the bundles, takes the project away and runs them. Started by scripts/test-bundlers.mjs.
import { execFile, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../scripts/gyp.mjs';
import { countTap } from '../../scripts/tap-count.mjs';
import { bundles, executableBundle } from './bundles.mjs';
import { makeExecutable } from './executables.mjs';
import { binary, makeProject, setBinary } from './project.mjs';
import { trace } from './trace.mjs';

const documents = readFileSync(join(root, 'docs/bundlers.md'), 'utf8');
const total = { passed: 0, failed: 0 };

function report(name, { passed, failed }, output = '') {
  total.passed += passed;
  total.failed += failed;
  console.log(`${failed ? 'not ok' : 'ok'} - ${name}`);
  if (failed) console.log(output.replace(/^(.{0,500}).*/gm, '  | $1'));
}

const check = (name, isGood, output) =>
  report(name, isGood ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }, output);

const environment = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' };
for (const name of ['IOCP_NET_BACKEND', 'IOCP_NET_PREBUILD', 'NODE_PATH']) delete environment[name];

/** Returns what the shell has to say where it fails, else nothing. */
async function shell(command, project) {
  const path = `${join(project, 'node_modules/.bin')}:${process.env.PATH}`;
  const options = { cwd: project, env: { ...environment, PATH: path }, timeout: 120_000 };
  try {
    await promisify(execFile)('sh', ['-c', command], options);
    return undefined;
  } catch (error) {
    return `${error.stdout}\n${error.stderr}\n${error.message}`;
  }
}

async function make({ name, commands }, project) {
  for (const command of commands) {
    const failure = await shell(command, project);
    if (failure !== undefined) return check(`${name}: ${command}`, false, failure);
  }
}

/** Makes all bundles and puts them into `target`, where they find nothing of the project. */
async function makeAll(project, target) {
  await Promise.all(bundles.map((bundle) => make(bundle, project)));
  renameSync(join(project, 'out'), target);
}

function run(name, command, args, cwd) {
  const options = { cwd, env: environment, encoding: 'utf8', timeout: 60_000 };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  report(name, countTap(stdout, status ?? 1), `${stdout}\n${stderr}`);
}

function runAll(target, backend) {
  for (const { programs } of bundles) {
    for (const program of programs) {
      run(`${program}, ${backend}`, process.execPath, [join(target, program), backend], target);
    }
  }
}

/** A binary that the system refuses, as it does one for a newer C library. */
function runWithUnusableBinary(target) {
  const folder = join(target, 'esbuild');
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.node')) writeFileSync(join(folder, file), 'not a library');
  }
  run('a binary that cannot be loaded', process.execPath, [join(folder, 'program.js'), 'node']);
}

/** The commands and configurations are those that users read. */
function checkDocuments() {
  const commands = [...bundles.flatMap((each) => each.commands), executableBundle];
  const configs = [...bundles.flatMap(({ config }) => config ?? []), 'sea.json'].map((each) =>
    readFileSync(join(import.meta.dirname, 'fixtures', each), 'utf8').trim(),
  );
  const missing = [...commands, ...configs].filter((each) => !documents.includes(each));
  check('docs/bundlers.md shows what is tested', missing.length === 0, missing.join('\n'));
}

async function testTrace(project, target) {
  const files = await trace(project, 'program.mjs', target);
  check(
    '@vercel/nft finds the binary',
    files.includes(`node_modules/iocp-net/${binary}`),
    files.join('\n'),
  );
  return () =>
    run('@vercel/nft: what it found, epoll', process.execPath, ['program.mjs', 'epoll'], target);
}

/** Returns how they are run. */
async function makeExecutables(project, target, versions) {
  const failure = await shell(executableBundle, project);
  if (failure !== undefined) check(executableBundle, false, failure);
  mkdirSync(target);
  const made = (version, hasAsset, folder) => {
    const executable = makeExecutable(project, version, hasAsset);
    mkdirSync(join(target, folder), { recursive: true });
    const moved = join(target, folder, basename(executable));
    renameSync(join(project, executable), moved);
    return moved;
  };
  const runs = versions.map((version) => {
    const executable = made(version, true, 'assets');
    return () => run(`executable, Node ${version}, an asset`, executable, ['epoll'], target);
  });
  const beside = made(versions.at(-1), false, 'beside');
  const alone = join(target, 'alone', basename(beside));
  mkdirSync(join(target, 'alone'));
  cpSync(beside, alone);
  cpSync(join(project, 'node_modules/iocp-net/prebuilds'), join(target, 'beside/prebuilds'), {
    recursive: true,
  });
  return [
    ...runs,
    () => run('executable, prebuilds beside it', beside, ['epoll'], target),
    () => run('executable without a binary', alone, ['node'], target),
  ];
}

/** Node versions of the executables; the last one also without an asset. */
export async function testBundlers(versions) {
  const project = makeProject();
  const target = mkdtempSync(join(tmpdir(), 'iocp-net-bundles-'));
  try {
    checkDocuments();
    setBinary(project, true);
    await makeAll(project, join(target, 'with'));
    const runTrace = await testTrace(project, join(target, 'traced'));
    const runs = await makeExecutables(project, join(target, 'executables'), versions);
    setBinary(project, false);
    await makeAll(project, join(target, 'without'));
    rmSync(project, { recursive: true });
    runAll(join(target, 'with'), 'epoll');
    runAll(join(target, 'without'), 'node');
    for (const each of [runTrace, ...runs]) each();
    runWithUnusableBinary(join(target, 'with'));
  } finally {
    rmSync(project, { recursive: true, force: true });
    rmSync(target, { recursive: true, force: true });
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

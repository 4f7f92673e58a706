// clang-tidy (its checks, and why some are off: .clang-tidy) and cppcheck over the C++ of the
// package, as it is compiled on this system.
//
//   node scripts/check-cpp.mjs [--all] [--no-paths]
//
// A file that has passed is looked at again when it, a header, a check or a tool is another;
// --all, and CI, look at each. --no-paths leaves out clang's static analyzer, which walks the paths
// through each function and takes most of the time. A tool that is missing is said so and left out,
// but not in CI.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { argv, env } from 'node:process';
import { promisify } from 'node:util';
import { headersIn, root, runGyp } from './gyp.mjs';

const folders = ['deps/completion-port/src', 'deps/completion-port/include', 'src/binding'];
const made = join(root, 'build/check-cpp');
const checks = argv.includes('--no-paths') ? ['--checks=-clang-analyzer-*'] : [];
const all = argv.includes('--all') || env.CI !== undefined;

/** The first line of what it says of itself; null where it is not installed. */
function versionOf(tool) {
  try {
    return execFileSync(tool, ['--version'], { encoding: 'utf8' });
  } catch {
    if (env.CI !== undefined) throw new Error(`${tool} is missing`);
    console.log(`${tool} is not installed: left out`);
    return null;
  }
}

/** How each source of ours is compiled. */
function commands() {
  runGyp('compile_commands_json', {}, [`--generator-output=${made}`]);
  const listed = JSON.parse(readFileSync(join(made, 'Release/compile_commands.json'), 'utf8'));
  const ours = listed.filter(({ file }) =>
    folders.some((folder) => file.startsWith(join(root, folder))),
  );
  // gyp names a folder that is not there, and a file once for each target.
  const byFile = new Map(ours.map((entry) => [entry.file, { ...entry, directory: root }]));
  writeFileSync(join(made, 'compile_commands.json'), JSON.stringify([...byFile.values()]));
  return byFile;
}

/** What a file's verdict depends on. */
function digestOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

function readVerdicts() {
  try {
    return JSON.parse(readFileSync(join(made, 'passed.json'), 'utf8'));
  } catch {
    return {};
  }
}

/** What it has to say, or nothing. */
async function complaints(tool, args) {
  try {
    await promisify(execFile)(tool, args, { cwd: root, maxBuffer: 1 << 26 });
    return '';
  } catch (error) {
    return `${error.stdout}${error.stderr}` || String(error);
  }
}

async function runTidy(version, byFile) {
  const shared = [
    version,
    ...checks,
    readFileSync(join(root, '.clang-tidy')),
    ...headersIn(folders).map((file) => readFileSync(file)),
  ];
  const passed = readVerdicts();
  const digests = new Map(
    [...byFile].map(([file, { command }]) => [
      file,
      digestOf([...shared, command, readFileSync(file)]),
    ]),
  );
  const waiting = [...byFile.keys()].filter(
    (file) => all || passed[relative(root, file)] !== digests.get(file),
  );
  let failed = 0;
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const text = await complaints('clang-tidy', ['-p', made, '--quiet', ...checks, file]);
      if (text) failed += 1;
      else passed[relative(root, file)] = digests.get(file);
      process.stdout.write(text);
      writeFileSync(join(made, 'passed.json'), JSON.stringify(passed, null, 1));
    }
  };
  console.log(`clang-tidy: ${waiting.length} of ${byFile.size} files`);
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return failed === 0;
}

async function runCppcheck(byFile) {
  const text = await complaints('cppcheck', [
    ...['--std=c++20', '--language=c++', '--platform=unix64', '--quiet', '--error-exitcode=1'],
    ...['--enable=warning,performance,portability', '--inline-suppr'],
    ...[`-j${availableParallelism()}`, ...folders.map((folder) => `-I${folder}`)],
    ...[...byFile.keys()].map((file) => relative(root, file)),
  ]);
  process.stdout.write(text);
  console.log(`cppcheck: ${byFile.size} files`);
  return text === '';
}

mkdirSync(made, { recursive: true });
const byFile = commands();
const tidy = versionOf('clang-tidy');
const good = [
  versionOf('cppcheck') === null || (await runCppcheck(byFile)),
  tidy === null || (await runTidy(tidy, byFile)),
];
process.exitCode = good.includes(false) ? 1 : 0;

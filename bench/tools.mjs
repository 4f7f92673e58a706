// The programs that a benchmark needs besides Node: a C++ compiler for our own load generator,
// taskset, wrk, autocannon.
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { env } from 'node:process';

const require = createRequire(import.meta.url);

/** The program of this name on PATH. */
export function find(program) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // It may be in the next one.
    }
  }
  return undefined;
}

export const taskset = find('taskset');
export const wrk = find('wrk');
export const canPin = taskset !== undefined && availableParallelism() > 1;

/** The command on this core only; undefined means wherever it likes. */
export function onCore(core, command) {
  return core === undefined ? command : [taskset, '-c', String(core), ...command];
}

/** The command line tool of the package, to run under any Node. */
export function autocannon() {
  return join(dirname(require.resolve('autocannon/package.json')), 'autocannon.js');
}

/** How many files a process may have open: the hard limit, up to which the servers raise it. */
export function fileLimit() {
  if (process.platform !== 'linux') return Infinity;
  const line = /^Max open files +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return line?.[1] === 'unlimited' ? Infinity : Number(line?.[1] ?? 0);
}

/** Our load generator, compiled when it is older than its sources. */
export function buildLoad() {
  const sources = join(import.meta.dirname, 'load');
  const files = readdirSync(sources).map((file) => join(sources, file));
  return compile('load', files);
}

/** A program of these files, in build/bench. */
export function compile(name, files, standard = 'c++17') {
  const made = join(import.meta.dirname, '../build/bench', name);
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (existsSync(made) && statSync(made).mtimeMs > newest) return made;
  const compiler = [env.CXX, 'g++', 'clang++', 'c++'].find((name) => name && find(name));
  if (!compiler) {
    throw new Error(
      'No C++ compiler found (g++, clang++ or $CXX): the load generator is C++, because one in ' +
        'JavaScript would be slower than the servers. On Debian: apt install g++',
    );
  }
  mkdirSync(dirname(made), { recursive: true });
  const units = files.filter((file) => file.endsWith('.cc'));
  execFileSync(compiler, ['-O2', `-std=${standard}`, '-Wall', '-Wextra', '-o', made, ...units], {
    stdio: 'inherit',
  });
  return made;
}

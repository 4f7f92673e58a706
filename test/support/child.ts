/** Programs in a process of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Options of Node's, before the program. */
  execArgv?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

const entries = {
  net: require.resolve('iocp-net'),
  http: require.resolve('iocp-net/http'),
  dgram: require.resolve('iocp-net/dgram'),
  engine: require.resolve('iocp-net/engine'),
  framing: require.resolve('iocp-net/framing'),
  register: require.resolve('iocp-net/register'),
};

/** The file of an entry, for `require`. */
export const entryFile = (name: keyof typeof entries): string => entries[name];

/** Source that loads the package under test, as `net` or `http`. */
export const load = (name: keyof typeof entries): string =>
  `const ${name} = require(${JSON.stringify(entries[name])});\n`;

/** Runs a program and waits for its end, as `runNode`. */
export const run = (
  program: string,
  milliseconds = 15_000,
  { execArgv = [], env = {} }: RunOptions = {},
): Promise<Ended> => runNode([...execArgv, '-e', program], milliseconds, env);

/**
 * Runs Node and waits for its end. Output goes through files: Wine's pipes lose some.
 * `milliseconds` kills what hangs; `signal` is set then.
 */
export async function runNode(
  words: readonly string[],
  milliseconds = 15_000,
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-'));
  const out = join(folder, 'out');
  const err = join(folder, 'err');
  const files = [openSync(out, 'w'), openSync(err, 'w')];
  try {
    const child = spawn(process.execPath, words, {
      env: { ...process.env, ...env },
      stdio: ['ignore', ...files],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    return { code, signal, stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8') };
  } finally {
    for (const file of files) closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same with a program in a file, which it can start again by `__filename`. */
export async function runAsFile(program: string, milliseconds = 15_000): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-'));
  const file = join(folder, 'program.cjs');
  writeFileSync(file, program);
  try {
    return await runNode([file], milliseconds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

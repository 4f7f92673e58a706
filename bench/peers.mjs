// What else serves the same load: found or left out by name.
//
// Bun is what a JavaScript run-time can do natively. The C++ servers (bench/peers) do nothing but
// the system calls that an echo needs, or bulk: they are the physical limit, not something to write a
// program on. The one of two threads shows what the hop between threads costs by itself.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { compile, find } from './tools.mjs';

const source = (name) => join(import.meta.dirname, 'peers', name);

/** The program's own file, and the headers that it may include. */
const sourcesOf = (name) => [`${name}.cc`, 'peer.h', 'poller.h'].map(source);

function bun() {
  const local = join(import.meta.dirname, '../node_modules/.bin/bun');
  const program = env.BUN ?? find('bun') ?? (existsSync(local) ? local : undefined);
  if (!program) throw new Error('not installed: put bun on PATH, or its path into $BUN');
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
  return { program: [program, source('bun.mjs')], serves: ['echo', 'http'], version };
}

const native =
  (name, serves = ['echo']) =>
  () => ({
    program: [compile(`peer-${name}`, sourcesOf(name), 'c++20')],
    serves,
    compiled: true,
  });

const known = [
  ['Bun', bun],
  ['C++ epoll', native('epoll')],
  ['C++ epoll', native('epoll_bulk', ['source', 'sink'])],
  ['C++ io_uring', native('io_uring')],
  ['C++ two threads', native('two_threads')],
];

/** A thread for each connection, with stacks of so many KiB. */
export function threadsPeer(stackKib) {
  const { program, ...rest } = native('thread_per_connection')();
  const stacks = stackKib < 1024 ? `${stackKib} KiB` : `${stackKib / 1024} MiB`;
  return { name: `threads, stacks of ${stacks}`, program: [...program, String(stackKib)], ...rest };
}

/** The peers there are, and why the others are not. */
export function findPeers(none) {
  const found = [];
  const missing = [];
  for (const [name, look] of none ? [] : known) {
    try {
      found.push({ name, ...look() });
    } catch (error) {
      missing.push(`${name} is left out: ${error.message.split('\n')[0]}`);
    }
  }
  return { found, missing };
}

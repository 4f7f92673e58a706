// What is compared, and how one side of it is started.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { messageOf } from '../dist/cli/bench/children.js';
import { isRunning, start } from './children.mjs';
import { onCore } from './tools.mjs';

const require = createRequire(import.meta.url);
const entry = (name) => join(import.meta.dirname, '../dist/entry', name);

export const builtin = {
  name: 'node:net',
  modules: { net: 'node:net', http: 'node:http', https: 'node:https' },
};

const ours = {
  name: 'iocp-net',
  modules: {
    net: entry('net.cjs'),
    http: entry('http.cjs'),
    https: entry('https.cjs'),
    engine: entry('engine.cjs'),
  },
};

/** iocp-net as it is built here, or any module with net's API: a path or a package. */
export function candidate(module) {
  if (module === undefined) return ours;
  if (module === 'node:net') return builtin;
  return { name: module, modules: { net: require.resolve(module, { paths: [resolve('.')] }) } };
}

/** A peer that is no Node says its port in its first line, and ends with its standard input. */
async function startPeer(kind, { program, under = [] }, core) {
  const child = start(onCore(core, [...under, ...program, kind]), ['pipe', 'pipe', 2]);
  child.stdin.on('error', () => {});
  const limit = AbortSignal.timeout(10_000);
  const gone = once(child, 'exit').then(() => {
    throw new Error('the server ended instead of telling its port');
  });
  gone.catch(() => {}); // of no interest later
  const [line] = await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data', { signal: limit }),
    gone,
  ]);
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  return {
    port: Number(/^port (\d+)/.exec(line)?.[1]),
    pid: child.pid,
    stats: async () => null,
    /** What it has printed since; all of it once it has stopped. */
    said: () => said,
    async stop() {
      if (!isRunning(child)) return;
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A fresh process with this arm's server of this kind; `under` is a command that starts it. */
export async function startServer(kind, arm, options) {
  return arm.program ? startPeer(kind, arm, options.core) : startNode(kind, arm, options);
}

async function startNode(kind, arm, { node, core, nodeOptions = [] }) {
  const script = join(import.meta.dirname, 'server.cjs');
  const program = [node, ...nodeOptions, script, kind, JSON.stringify(arm.modules)];
  const command = [...(arm.under ?? []), ...program];
  // Standard output is for the table alone.
  const child = start(onCore(core, command), ['ignore', 2, 2, 'ipc']);
  const first = await messageOf(child, 'the server');

  return {
    ...first,
    pid: child.pid,
    async stats() {
      child.send('stats');
      return (await messageOf(child, 'the server')).stats;
    },
    /** Seconds of processor time so far, all threads and JavaScript's, and memory at most. */
    async usage() {
      child.send('usage');
      return messageOf(child, 'the server');
    },
    async stop() {
      if (!isRunning(child)) return;
      const gone = once(child, 'exit');
      const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
      child.send('stop', () => {}); // it may have ended just now
      await gone;
      clearTimeout(patience);
    },
  };
}

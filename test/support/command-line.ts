/** The command line under test, in processes of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runNode, type Ended } from './child';
import { listen } from './sockets';

const main = join(dirname(require.resolve('iocp-net/package.json')), 'dist/cli/main.js');

/** Runs a command to its end; `milliseconds` kills what hangs. */
export const runCommand = (
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  milliseconds = 120_000,
): Promise<Ended> =>
  runNode([main, ...words], milliseconds, { IOCP_NET_BACKEND: '', IOCP_NET_ENDPOINT: '', ...env });

/** A port of the loopback address on which nobody listens, for a moment at least. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A program that goes on; what it prints goes through a file, as Wine's pipes lose some. */
export class Running {
  readonly child: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'iocp-net-'));
  readonly #out = join(this.#folder, 'out');

  constructor(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const out = openSync(this.#out, 'w');
    this.child = spawn(process.execPath, words, {
      env: { ...process.env, IOCP_NET_BACKEND: '', IOCP_NET_ENDPOINT: '', ...env },
      stdio: ['ignore', out, out],
    });
    closeSync(out);
  }

  get output(): string {
    return readFileSync(this.#out, 'utf8');
  }

  /** What the pattern finds in the output, as soon as it is there. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (let look = 0; look < 600; look++) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      if (this.child.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`${String(pattern)} is not in: ${this.output}`);
  }

  /** Its exit code after this signal; null where it did not end by itself. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const startCommand = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Running =>
  new Running([main, ...words], env);

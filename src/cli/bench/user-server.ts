/**
 * The user's server, started by the user's command: with `iocp-net/register` or without, awaited
 * until its URL answers, and stopped with all that it has started.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { EndpointSnapshot } from '../../endpoint/snapshot';
import { askOnce, listEndpoints, pathOfProcess } from '../endpoints';
import { sessionTime } from './process-time';

const onWindows = process.platform === 'win32';

const START_MS = 30_000;
const LOOK_MS = 50;
const ANSWER_MS = 2000;
/** What a server may take to end by itself. */
const END_MS = 3000;
/** Bytes of what it has said on stderr, for the error message. */
const LAST_WORDS = 2000;

/** The status of an answer; null where there is none. */
function statusOf(url: string): Promise<number | null> {
  const { get } = url.startsWith('https:') ? https : http;
  return new Promise((resolve) => {
    const options = { agent: false, timeout: ANSWER_MS, rejectUnauthorized: false };
    const request = get(url, options, (response) => {
      response.resume();
      response.destroy();
      resolve(response.statusCode ?? null);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(null));
  });
}

/** So that it is found from wherever the command runs. */
function registerUrl(): string {
  return pathToFileURL(join(__dirname, '../../entry/register.mjs')).href;
}

function environmentOf(isOurs: boolean, folder: string): NodeJS.ProcessEnv {
  const { IOCP_NET_BACKEND: backend, ...env } = process.env;
  delete env['IOCP_NET_ENDPOINT'];
  // A program that imports iocp-net by itself is measured on node:net, too.
  if (!isOurs) return { ...env, IOCP_NET_BACKEND: 'node' };
  return {
    ...env,
    ...(backend === undefined || backend === 'node' ? {} : { IOCP_NET_BACKEND: backend }),
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${registerUrl()}`.trim(),
    IOCP_NET_ENDPOINT: onWindows ? '1' : `${folder}/`,
  };
}

/** The last words in a file, which may be long. */
function lastWordsIn(path: string): string {
  const file = openSync(path, 'r');
  try {
    const from = Math.max(0, fstatSync(file).size - LAST_WORDS);
    const words = Buffer.alloc(LAST_WORDS);
    return words.toString('utf8', 0, readSync(file, words, 0, LAST_WORDS, from)).trim();
  } finally {
    closeSync(file);
  }
}

export class UserServer {
  readonly #child: ChildProcess;
  readonly #command: string;
  /** Of its endpoints and its stderr; removed with it. */
  readonly #folder: string;
  /** A file, since 'exit' may come before the last of what a pipe holds. */
  readonly #said: string;
  readonly #killAtExit = (): void => this.#kill('SIGKILL');
  #failure: string | null = null;

  private constructor(command: readonly string[], isOurs: boolean) {
    this.#command = command.join(' ');
    this.#folder = mkdtempSync(join(tmpdir(), 'iocp-net-bench-'));
    this.#said = join(this.#folder, 'stderr');
    const [file = '', ...args] = command;
    const said = openSync(this.#said, 'w');
    this.#child = spawn(file, args, {
      env: environmentOf(isOurs, this.#folder),
      stdio: ['ignore', 'ignore', said],
      // A session of its own: all that it starts is counted and ended with it.
      detached: !onWindows,
      windowsHide: true,
    });
    this.#child.on('error', (error) => (this.#failure = error.message));
    this.#child.on('exit', (code, signal) => (this.#failure ??= `it ended with ${signal ?? code}`));
    closeSync(said);
    process.once('exit', this.#killAtExit);
  }

  /** Starts it and waits until the URL answers; rejects, with what it said, where it does not. */
  static async start(
    command: readonly string[],
    url: string,
    isOurs: boolean,
    signal: AbortSignal,
  ): Promise<UserServer> {
    if ((await statusOf(url)) !== null) {
      throw new Error(`something answers at ${url} already; end it, or give another URL`);
    }
    const server = new UserServer(command, isOurs);
    try {
      await server.#answers(url, signal);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async #answers(url: string, signal: AbortSignal): Promise<void> {
    const until = performance.now() + START_MS;
    while (performance.now() < until) {
      signal.throwIfAborted();
      if (this.#failure !== null) throw this.#error(this.#failure);
      const status = await statusOf(url);
      if (status !== null && status >= 400) {
        throw this.#error(`${url} answers with ${status}: give the URL of something that is there`);
      }
      if (status !== null) return;
      await sleep(LOOK_MS);
    }
    throw this.#error(`${url} did not answer within ${START_MS / 1000} s`);
  }

  #error(reason: string): Error {
    const words = lastWordsIn(this.#said);
    return new Error(`${this.#command}: ${reason}${words === '' ? '' : `\n${words}`}`);
  }

  /** Microseconds of processor time so far; null where that cannot be had. */
  time(): number | null {
    return this.#child.pid === undefined ? null : sessionTime(this.#child.pid);
  }

  /** Why it has not run on the core; null where it has. */
  async whyNotOnCore(): Promise<string | null> {
    const found = await this.#snapshots();
    if (found.length === 0) {
      return 'no process of it has made a socket by iocp-net/register: is it a Node program, and does it leave NODE_OPTIONS as they are?';
    }
    const accepted = ({ stats }: EndpointSnapshot): number =>
      stats.operations['accept']?.completed ?? 0;
    if (found.some((each) => each.backend !== 'node' && accepted(each) > 0)) return null;
    const reason = found.find((each) => each.reason !== null)?.reason;
    return reason ?? 'its connections came in by other ways than the core';
  }

  async #snapshots(): Promise<EndpointSnapshot[]> {
    const { pid = 0 } = this.#child;
    const paths = onWindows
      ? [pathOfProcess(pid)]
      : listEndpoints(this.#folder).map(({ path }) => path);
    const asked = await Promise.allSettled(paths.map(askOnce));
    return asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (onWindows) spawnSync('taskkill', ['/pid', `${pid}`, '/T', '/F'], { stdio: 'ignore' });
      else process.kill(-pid, signal);
    } catch {
      // They are gone.
    }
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends it and whatever it has started. */
  async stop(): Promise<void> {
    if (this.#child.pid !== undefined) {
      const gone = this.#hasEnded() ? Promise.resolve() : once(this.#child, 'exit');
      this.#kill('SIGTERM');
      await Promise.race([gone, sleep(END_MS, undefined, { ref: false })]);
      this.#kill('SIGKILL');
      // Nobody who may not be killed is waited for.
      await Promise.race([gone, sleep(END_MS, undefined, { ref: false })]);
    }
    process.off('exit', this.#killAtExit);
    try {
      rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // On Windows a file goes when nobody has it open: somebody could not be ended.
    }
  }
}

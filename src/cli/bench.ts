/**
 * `npx iocp-net bench`: node:net and iocp-net side by side on this machine.
 *
 * Every run is a fresh server process and a load in another one; node:net runs twice in each round,
 * so that the noise is known. A look, not a laboratory: the load is JavaScript too, and slower than
 * the server it measures, so what counts is the CPU time per message.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, release, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compare as compareRounds } from './noise';
import type { LoadResult, ServerKind, Usage } from './messages';

const ARMS = ['node:net', 'iocp-net', 'node:net again'] as const;
type Arm = (typeof ARMS)[number];

interface Scenario {
  readonly name: string;
  readonly server: ServerKind;
  readonly connections: number;
  readonly bytes: number;
  readonly pipelining: number;
}

interface Run {
  readonly rate: number;
  /** Microseconds of all the server's threads, per message. */
  readonly cpu: number;
  readonly p99: number;
}

const scenario = (
  name: string,
  server: ServerKind,
  connections: number,
  bytes: number,
  pipelining = 1,
): Scenario => ({ name, server, connections, bytes, pipelining });

const ECHOES = [
  scenario('echo, 1 connection, 64 B', 'echo', 1, 64),
  scenario('echo, 64 connections, 64 B', 'echo', 64, 64),
  scenario('echo, 64 connections, 4 KiB', 'echo', 64, 4096),
];
const HTTP = [
  scenario('HTTP, autocannon -c 64', 'http', 64, 0),
  scenario('HTTP, autocannon -c 64 -p 10', 'http', 64, 0, 10),
];

const WARM_MS = 300;
const WINDOW_MS = 800;
/** No further round is begun after this. */
const BUDGET_MS = 45_000;
const ROUNDS = 3;

/** The next message of a child; an error when it ends instead. */
async function messageOf<T>(child: ChildProcess): Promise<T> {
  const limit = new AbortController();
  try {
    const [first] = (await Promise.race([
      once(child, 'message', { signal: limit.signal }),
      once(child, 'exit', { signal: limit.signal }).then(([code]) => {
        throw new Error(`a process ended with ${String(code)} instead of answering`);
      }),
      sleep(20_000, undefined, { signal: limit.signal }).then(() => {
        throw new Error('a process did not answer within 20 seconds');
      }),
    ])) as [T];
    return first;
  } finally {
    limit.abort();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function start(program: string, args: string[], arm?: Arm): ChildProcess {
  const env = { ...process.env };
  if (arm === 'iocp-net' && env['IOCP_NET_BACKEND'] === 'node') delete env['IOCP_NET_BACKEND'];
  return fork(join(__dirname, program), args, {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function usageOf(server: ChildProcess): Promise<Usage> {
  server.send('usage');
  return messageOf<Usage>(server);
}

async function measure(what: Scenario, arm: Arm, autocannon: string | undefined): Promise<Run> {
  const server = start('server.js', [what.server, arm === 'iocp-net' ? 'ours' : 'node'], arm);
  try {
    const { port, backend } = await messageOf<{ port: number; backend: string }>(server);
    if (arm === 'iocp-net' && backend === 'node') {
      throw new Error('iocp-net fell back to node:net here: see the warning');
    }
    const { connections, bytes, pipelining } = what;
    const words = [port, connections, bytes, pipelining, WARM_MS, WINDOW_MS].map(String);
    const load = start('load.js', [what.server, ...words, autocannon ?? '']);
    try {
      // It says when the window begins, and at its end what came back in it.
      await messageOf<string>(load);
      const before = await usageOf(server);
      const result = await messageOf<LoadResult>(load);
      const after = await usageOf(server);
      const messages = Math.max(result.messages, 1);
      return {
        rate: result.messages / result.seconds,
        cpu: (after.micros - before.micros) / messages,
        p99: result.p99,
      };
    } finally {
      await stop(load);
    }
  } finally {
    await stop(server);
  }
}

type Round = Record<Arm, Run>;

/** `a → b`, their ratio, and how far the two runs of node:net were apart. */
function compare(rounds: Round[], figure: keyof Run, digits: number): [string, string] {
  const { base, candidate, ratio, noise, real } = compareRounds(
    rounds.map((round) => ({
      base: round['node:net'][figure],
      candidate: round['iocp-net'][figure],
      control: round['node:net again'][figure],
    })),
  );
  const show = (value = NaN) =>
    value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : digits });
  return [
    `${show(base)} → ${show(candidate)}`,
    `${(ratio ?? NaN).toFixed(2)}x ±${(100 * noise).toFixed(0)} %${real ? ' *' : ''}`,
  ];
}

function printTable(lines: string[][]): void {
  const widths = (lines[0] ?? []).map((_, i) =>
    Math.max(...lines.map((line) => line[i]?.length ?? 0)),
  );
  for (const line of lines) {
    const cells = line.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    console.log(cells.join('   ').trimEnd());
  }
}

/** autocannon's folder where the user has it: in the project, or beside this package. */
function findAutocannon(): string | undefined {
  for (const from of [join(process.cwd(), 'package.json'), __filename]) {
    try {
      return createRequire(from).resolve('autocannon');
    } catch {
      // Not there.
    }
  }
  return undefined;
}

async function playRounds(chosen: Scenario[], autocannon: string | undefined) {
  const rounds = new Map<Scenario, Round[]>(chosen.map((each) => [each, []]));
  const begin = performance.now();
  let longest = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    if (round > 0 && started - begin + longest > BUDGET_MS) break;
    for (const each of chosen) {
      if (performance.now() - begin > BUDGET_MS) break;
      const order = round % 2 === 0 ? ARMS : [...ARMS].reverse();
      const runs: Partial<Round> = {};
      for (const arm of order) {
        process.stderr.write(`# round ${round + 1}: ${each.name}: ${arm}\n`);
        runs[arm] = await measure(each, arm, autocannon);
      }
      rounds.get(each)?.push(runs as Round);
    }
    longest = Math.max(longest, performance.now() - started);
  }
  return rounds;
}

/** Runs the comparison and prints one table. Takes up to a minute. */
export async function bench(): Promise<void> {
  const autocannon = findAutocannon();
  const rounds = await playRounds(autocannon ? [...ECHOES, ...HTTP] : ECHOES, autocannon);
  const lines = [
    ['node:net → iocp-net', 'CPU µs each', 'ratio', 'per second', 'ratio', 'p99 µs', 'ratio'],
  ];
  for (const [{ name }, played] of rounds) {
    if (played.length === 0) continue;
    lines.push([
      name,
      ...compare(played, 'cpu', 2),
      ...compare(played, 'rate', 0),
      ...compare(played, 'p99', 0),
    ]);
  }
  const model = cpus()[0]?.model.trim() ?? arch();
  const where = `${model}, ${availableParallelism()} cores, ${type()} ${release()}`;
  console.log(`${where}; Node ${process.version}; loopback\n`);
  printTable(lines);
  console.log(`
CPU: user and kernel time of all threads of the server, per message or request.
* beyond the noise (±): the largest difference of node:net from itself, run again in each round.
The load is JavaScript on the same machine, so throughput and latency are those of both.`);
  if (!autocannon) {
    console.log('HTTP is left out: autocannon is not installed here (npm install autocannon).');
  }
}

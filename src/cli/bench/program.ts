/**
 * The user's own server, as it is and with `iocp-net/register`, under several loads.
 *
 * It listens on one port, so that its arms follow each other: each round starts it as it is, with
 * register, and as it is again for the noise, the next round in the other order; each start is
 * measured under every load, warmed up by the same load. CPU time per request is what the server
 * costs, whatever else the machine and the load are busy with.
 */
import { availableParallelism, loadavg } from 'node:os';
import { columns } from '../table';
import { findAutocannon } from './autocannon';
import { whereItRan } from './built-in';
import { messageOf, start, stop } from './children';
import {
  ARMS,
  cells,
  compare,
  type Arm,
  type Comparison,
  type Round,
  type Run,
} from './comparison';
import type { HttpLoad, LoadResult } from './messages';
import { UserServer } from './user-server';
import { verdictOf, verdictOfAll, type Verdict, type VerdictOfAll } from './verdict';

export interface ProgramOptions {
  readonly command: readonly string[];
  readonly url: string;
  /** In all, about. */
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly asJson: boolean;
}

interface Judged {
  readonly connections: number;
  readonly rate: Comparison | null;
  readonly cpu: Comparison | null;
  readonly p50: Comparison | null;
  readonly p99: Comparison | null;
  readonly verdict: Verdict;
}

const ROUNDS = 3;
/** Starting and stopping the server and the loads, roughly. */
const START_MS = 1500;
const WARM_MS = 400;
const SHORTEST_MS = 300;
/** So much of the cores must not be taken by others. */
const BUSY = 0.5;

/** The length of one window, so that all of them take the time that was given. */
function windowMs({ seconds, connections }: ProgramOptions): number {
  const ofStart = (seconds * 1000) / (ROUNDS * ARMS.length) - START_MS;
  return Math.max(SHORTEST_MS, Math.round(ofStart / connections.length - WARM_MS));
}

async function measure(server: UserServer, load: HttpLoad, signal: AbortSignal): Promise<Run> {
  const child = start('http-load.js', [JSON.stringify(load)]);
  const onAbort = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const longest = load.windowMs + load.warmMs + 30_000;
    await messageOf<string>(child, 'the load', longest);
    const before = server.time();
    const { messages, seconds, failed, p50, p99 } = await messageOf<LoadResult>(
      child,
      'the load',
      longest,
    );
    const after = server.time();
    if (failed > 0)
      throw new Error(`${failed} requests failed with ${load.connections} connections`);
    if (messages === 0) throw new Error(`no request was answered within ${seconds.toFixed(1)} s`);
    const cpu = before === null || after === null ? null : (after - before) / messages;
    return { rate: messages / seconds, cpu, p50, p99 };
  } finally {
    signal.removeEventListener('abort', onAbort);
    await stop(child);
  }
}

/** One start of the server, under every load in turn. */
async function runArm(
  arm: Arm,
  options: ProgramOptions,
  progress: string,
  signal: AbortSignal,
): Promise<Run[]> {
  const { command, url, connections } = options;
  const isOurs = arm === 'iocp-net';
  process.stderr.write(`# ${progress}: ${isOurs ? 'iocp-net/register' : arm}\n`);
  const server = await UserServer.start(command, url, isOurs, signal);
  try {
    const autocannon = findAutocannon();
    const runs: Run[] = [];
    for (const each of connections) {
      const load = { url, connections: each, pipelining: 1, warmMs: WARM_MS };
      const how = autocannon === undefined ? {} : { autocannon };
      runs.push(await measure(server, { ...load, ...how, windowMs: windowMs(options) }, signal));
    }
    const why = isOurs ? await server.whyNotOnCore() : null;
    if (why !== null) throw new Error(`the server did not run on the core: ${why}`);
    return runs;
  } finally {
    await server.stop();
  }
}

/** The rounds of each load, in the order of the loads. */
async function playRounds(options: ProgramOptions, signal: AbortSignal): Promise<Round[][]> {
  const rounds: Round[][] = options.connections.map(() => []);
  const begin = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    // On a busy machine all takes longer; of one round nothing can be said.
    if (round > 1 && performance.now() - begin > options.seconds * 1000) break;
    // Ours in the middle, so that both of node:net's are as far from it; in turn the other first.
    const order = round % 2 === 0 ? ARMS : [...ARMS].reverse();
    const runs: Partial<Record<Arm, Run[]>> = {};
    for (const arm of order) {
      runs[arm] = await runArm(arm, options, `round ${round + 1} of ${ROUNDS}`, signal);
    }
    rounds.forEach((played, load) =>
      played.push(Object.fromEntries(ARMS.map((arm) => [arm, runs[arm]?.[load]])) as Round),
    );
  }
  return rounds;
}

/** Of a machine that others keep busy the figures say little. Windows tells no load: 0. */
function warning(loadBefore: number): string | null {
  const cores = availableParallelism();
  if (loadBefore < BUSY * cores) return null;
  const load = loadBefore.toFixed(1);
  return `The machine was busy with other things before (load ${load} on ${cores} cores): try again when it is not.`;
}

function judge(connections: number, rounds: readonly Round[]): Judged {
  const of = (figure: keyof Run): Comparison | null => compare(rounds, figure);
  const [rate, cpu, p50, p99] = [of('rate'), of('cpu'), of('p50'), of('p99')];
  return { connections, rate, cpu, p50, p99, verdict: verdictOf({ rate, cpu }) };
}

interface Result {
  readonly where: string;
  readonly command: readonly string[];
  readonly url: string;
  readonly loads: readonly Judged[];
  readonly verdict: VerdictOfAll;
  readonly warning: string | null;
}

const heads = ['CPU µs each', 'ratio', 'per second', 'ratio', 'p50 µs', 'ratio', 'p99 µs', 'ratio'];

function print({ where, command, url, loads, verdict, warning }: Result): void {
  console.log(`${command.join(' ')} at ${url}\n${where}\n`);
  const lines = loads.map((load) => [
    String(load.connections),
    ...[...cells(load.cpu, 1), ...cells(load.rate, 0)],
    ...[...cells(load.p50, 0), ...cells(load.p99, 0)],
    load.verdict,
  ]);
  console.log(columns([['connections', ...heads, 'verdict'], ...lines]).join('\n'));
  console.log(`
node:net → iocp-net. CPU: all threads and processes of the server, per request.
* beyond the noise (±): the largest difference of node:net from itself, run again in each round.
`);
  if (warning !== null) console.log(`${warning}\n`);
  console.log(`In all: ${verdict}.`);
}

/** Runs the comparison. Stops all that it has started, however it ends. */
export async function benchProgram(options: ProgramOptions): Promise<number> {
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort(new Error('interrupted'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const [loadBefore = 0] = loadavg();
  try {
    const rounds = await playRounds(options, interrupted.signal);
    const judged = options.connections.map((each, load) => judge(each, rounds[load] ?? []));
    const result = {
      where: whereItRan(),
      command: options.command,
      url: options.url,
      loads: judged,
      verdict: verdictOfAll(judged.map((each) => each.verdict)),
      warning: warning(loadBefore),
    };
    if (options.asJson) console.log(JSON.stringify(result));
    else print(result);
    return 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    return 130;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/**
 * Servers of our own, an echo and "Hello, World!", on node:net and on iocp-net.
 *
 * Every run is a fresh server process and a load in another one; node:net runs twice in each round,
 * so that the noise is known. A look, not a laboratory: the load is JavaScript too, and slower than
 * the server it measures, so what counts is the CPU time per message.
 */
import type { ChildProcess } from 'node:child_process';
import { arch, availableParallelism, cpus, release, type } from 'node:os';
import { columns } from '../table';
import { findAutocannon } from './autocannon';
import { messageOf, start, stop } from './children';
import { ARMS, cells, compare, type Arm, type Round, type Run } from './comparison';
import type { HttpLoad, LoadResult, ServerKind, Usage } from './messages';

interface Scenario {
  readonly name: string;
  readonly server: ServerKind;
  readonly connections: number;
  readonly bytes: number;
  readonly pipelining: number;
}

export interface BuiltInOptions {
  /** No further round is begun after this. */
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly asJson: boolean;
}

const plural = (connections: number): string =>
  `${connections} connection${connections === 1 ? '' : 's'}`;

function echo(connections: number, bytes: number, size: string): Scenario {
  const name = `echo, ${plural(connections)}, ${size}`;
  return { name, server: 'echo', connections, bytes, pipelining: 1 };
}

function http(connections: number, pipelining: number): Scenario {
  const name = `HTTP, ${plural(connections)}${pipelining > 1 ? `, ${pipelining} requests each` : ''}`;
  return { name, server: 'http', connections, bytes: 0, pipelining };
}

function scenarios(connections: readonly number[], autocannon: string | undefined): Scenario[] {
  const most = Math.max(...connections);
  return [
    ...connections.map((each) => echo(each, 64, '64 B')),
    echo(most, 4096, '4 KiB'),
    http(most, 1),
    ...(autocannon === undefined ? [] : [http(most, 10)]),
  ];
}

const WARM_MS = 300;
const WINDOW_MS = 800;
const ROUNDS = 3;

function environmentOf(arm: Arm): NodeJS.ProcessEnv {
  const env = { ...process.env };
  if (arm === 'iocp-net' && env['IOCP_NET_BACKEND'] === 'node') delete env['IOCP_NET_BACKEND'];
  return env;
}

async function usageOf(server: ChildProcess): Promise<Usage> {
  server.send('usage');
  return messageOf<Usage>(server, 'the server');
}

function startLoad(what: Scenario, port: number, autocannon: string | undefined): ChildProcess {
  const { server, connections, bytes, pipelining } = what;
  if (server === 'echo') {
    return start('load.js', [port, connections, bytes, WARM_MS, WINDOW_MS].map(String));
  }
  const load: HttpLoad = {
    url: `http://127.0.0.1:${port}/`,
    connections,
    pipelining,
    warmMs: WARM_MS,
    windowMs: WINDOW_MS,
    ...(autocannon === undefined ? {} : { autocannon }),
  };
  return start('http-load.js', [JSON.stringify(load)]);
}

async function measure(what: Scenario, arm: Arm, autocannon: string | undefined): Promise<Run> {
  const words = [what.server, arm === 'iocp-net' ? 'ours' : 'node'];
  const server = start('server.js', words, environmentOf(arm));
  try {
    const { port, backend } = await messageOf<{ port: number; backend: string }>(
      server,
      'the server',
    );
    if (arm === 'iocp-net' && backend === 'node') {
      throw new Error('iocp-net runs on node:net here; iocp-net doctor says why');
    }
    const load = startLoad(what, port, autocannon);
    try {
      // It says when the window begins, and at its end what came back in it.
      await messageOf<string>(load, 'the load');
      const before = await usageOf(server);
      const { messages, seconds, failed, p50, p99 } = await messageOf<LoadResult>(load, 'the load');
      const after = await usageOf(server);
      if (failed > 0) throw new Error(`${failed} requests failed`);
      const cpu = (after.micros - before.micros) / Math.max(messages, 1);
      return { rate: messages / seconds, cpu, p50, p99 };
    } finally {
      await stop(load);
    }
  } finally {
    await stop(server);
  }
}

async function playRounds(chosen: Scenario[], budgetMs: number, autocannon: string | undefined) {
  const rounds = new Map<Scenario, Round[]>(chosen.map((each) => [each, []]));
  const begin = performance.now();
  let longest = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    if (round > 0 && started - begin + longest > budgetMs) break;
    for (const each of chosen) {
      if (performance.now() - begin > budgetMs) break;
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

/** The machine, for whoever reads the figures later. */
export function whereItRan(): string {
  const model = cpus()[0]?.model.trim() || arch();
  return `${model}, ${availableParallelism()} cores, ${type()} ${release()}; Node ${process.version}`;
}

function tableOf(rounds: ReadonlyMap<Scenario, readonly Round[]>): string[] {
  const lines = [
    ['node:net → iocp-net', 'CPU µs each', 'ratio', 'per second', 'ratio', 'p99 µs', 'ratio'],
  ];
  for (const [{ name }, played] of rounds) {
    if (played.length === 0) continue;
    lines.push([
      name,
      ...cells(compare(played, 'cpu'), 2),
      ...cells(compare(played, 'rate'), 0),
      ...cells(compare(played, 'p99'), 0),
    ]);
  }
  return columns(lines);
}

function jsonOf(rounds: ReadonlyMap<Scenario, readonly Round[]>): object {
  return [...rounds].map(([{ name, connections, pipelining, bytes }, played]) => ({
    name,
    connections,
    pipelining,
    bytes,
    rounds: played.length,
    cpu: compare(played, 'cpu'),
    rate: compare(played, 'rate'),
    p99: compare(played, 'p99'),
  }));
}

/** Runs the comparison and prints one table. */
export async function benchBuiltIn(options: BuiltInOptions): Promise<number> {
  const autocannon = findAutocannon();
  const chosen = scenarios(options.connections, autocannon);
  const rounds = await playRounds(chosen, options.seconds * 1000, autocannon);
  if (options.asJson) {
    console.log(JSON.stringify({ where: whereItRan(), loads: jsonOf(rounds) }));
    return 0;
  }
  console.log(`${whereItRan()}; loopback\n`);
  console.log(tableOf(rounds).join('\n'));
  console.log(`
CPU: user and kernel time of all threads of the server, per message or request.
* beyond the noise (±): the largest difference of node:net from itself, run again in each round.
The load is JavaScript on the same machine, so throughput and latency are those of both.
For a server of your own: iocp-net bench --url http://127.0.0.1:3000/ -- node app.js`);
  return 0;
}

/** A primary for tests: workers that listen, and clients that ask who has accepted them. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import { join } from 'node:path';
import type { Answer } from '../cluster/children/worker';

export type { Answer };

export const workerFile = join(__dirname, '../cluster/children/worker.js');

/** Before the first worker: after it the policy is fixed for the process. */
export function setUp(policy: number): void {
  cluster.schedulingPolicy = policy;
  cluster.setupPrimary({ exec: workerFile, execArgv: [], args: [] });
}

export function fork(listen?: nodeNet.ListenOptions): Worker {
  const env = listen === undefined ? {} : { WORKER_LISTEN: JSON.stringify(listen) };
  return cluster.fork(env);
}

export interface Listening {
  worker: Worker;
  port: number;
}

/** Forks a worker and waits until it listens. */
export async function forkListening(listen: nodeNet.ListenOptions): Promise<Listening> {
  const worker = fork(listen);
  const [message] = (await once(worker, 'message')) as [{ listening?: nodeNet.AddressInfo }];
  if (message.listening === undefined) throw new Error(JSON.stringify(message));
  return { worker, port: message.listening.port };
}

export async function forkAll(count: number, listen: nodeNet.ListenOptions): Promise<Listening[]> {
  return Promise.all(Array.from({ length: count }, () => forkListening(listen)));
}

/** Asks who accepts. */
export async function ask(target: nodeNet.NetConnectOpts): Promise<Answer> {
  const socket = nodeNet.connect(target);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return JSON.parse(String(Buffer.concat(chunks))) as Answer;
}

/** Asks `total` times, `atOnce` at a time. */
export async function askOften(
  target: nodeNet.NetConnectOpts,
  total: number,
  atOnce = 8,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const client = async (): Promise<void> => {
    while (answers.length < total) answers.push(await ask(target));
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return answers.slice(0, total);
}

/** How many connections each worker got. */
export function countByWorker(answers: readonly Answer[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { worker } of answers) counts.set(worker, (counts.get(worker) ?? 0) + 1);
  return counts;
}

/** Disconnects the workers that are left and waits for their ends. */
export async function endAll(): Promise<void> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  await Promise.all(
    workers.map(async (worker) => {
      const ended = once(worker, 'exit');
      worker.kill();
      await ended;
    }),
  );
}

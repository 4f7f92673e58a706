/**
 * The primary of a cluster on Windows: opens the listening sockets that its workers ask for and
 * shares each with all who ask for the same. It does not accept, so what waits when a worker ends is
 * for the others.
 */
import type { ChildProcess } from 'node:child_process';
import type { ErrorName, Transport } from '../../port/contract';
import { has } from '../bare';
import { isOurs, primaryVariable, tell } from './messages';
import type { Answer, Channel, Closed, Query } from './messages';
import { core } from '../core';

interface Shared {
  readonly handle: number;
  readonly workers: Set<Channel>;
  data: unknown;
}

type Reply = { key: string; token: string; data: unknown } | { error: ErrorName };

const shared = new Map<string, Shared>();

// As Node's primary tells servers apart, and none of its own keys.
function keyOf({ address, port, addressType, index }: Query): string {
  return `iocp-net ${address}:${port}:${addressType}${port === 0 ? `:${index}` : ''}`;
}

function open(transport: Transport, query: Query): number | ErrorName {
  const { port, backlog, ipv6Only } = query;
  const candidates = query.address === null ? ['::', '0.0.0.0'] : [query.address];
  let answer: number | ErrorName = 'EINVAL';
  for (const address of candidates) {
    answer = transport.openShared({ address, port, backlog, ipv6Only });
    if (typeof answer === 'number' || answer === 'EADDRINUSE') break;
  }
  return answer;
}

function share(transport: Transport, worker: Channel, processId: number, query: Query): Reply {
  const key = keyOf(query);
  let entry = shared.get(key);
  // A worker that listens twice on one port.
  if (entry?.workers.has(worker)) return { error: 'EADDRINUSE' };
  if (entry === undefined) {
    const handle = open(transport, query);
    if (typeof handle === 'string') return { error: handle };
    entry = { handle, workers: new Set(), data: query.data };
    shared.set(key, entry);
  }
  entry.data ??= query.data;
  entry.workers.add(worker);
  const token = transport.shareWith(entry.handle, processId);
  if (typeof token !== 'string') {
    return { key, token: token.toString('base64'), data: entry.data };
  }
  remove(transport, key, worker);
  return { error: token };
}

function remove(transport: Transport, key: string, worker: Channel): void {
  const entry = shared.get(key);
  if (entry === undefined || !entry.workers.delete(worker) || entry.workers.size > 0) return;
  shared.delete(key);
  transport.closeHandle(entry.handle);
}

function answer(worker: Channel, processId: number, query: Query): void {
  const transport = core();
  const cluster = process.getBuiltinModule('node:cluster');
  const isRefused = transport === null || cluster.schedulingPolicy !== cluster.SCHED_NONE;
  const reply = isRefused ? { refused: true as const } : share(transport, worker, processId, query);
  tell(worker, { answers: query.seq, ...reply } satisfies Answer);
}

/** Listens to a worker, if that is what this child is. */
export function serveWorker(child: ChildProcess): void {
  const worker = child as unknown as Channel;
  const { pid } = child;
  if (pid === undefined) return;
  worker.on('internalMessage', (message) => {
    if (!isOurs(message)) return;
    if (has(message, 'ask')) answer(worker, pid, message);
    else if (has(message, 'act')) forget(worker, message);
  });
  const gone = (): void => {
    const transport = core();
    if (transport === null) return;
    for (const key of [...shared.keys()]) remove(transport, key, worker);
  };
  worker.once('disconnect', gone);
  worker.once('exit', gone);
}

function forget(worker: Channel, { key }: Closed): void {
  const transport = core();
  if (transport !== null) remove(transport, key, worker);
}

/** Lets a worker know, by its environment, that we are here. */
export function greetWorker(options: { envPairs?: string[] }): boolean {
  const isWorker = options.envPairs?.some((pair) => pair.startsWith('NODE_UNIQUE_ID=')) ?? false;
  if (isWorker) options.envPairs?.push(`${primaryVariable}=1`);
  return isWorker;
}

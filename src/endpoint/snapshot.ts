/** What an endpoint tells: one object for each request. */
import { threadId } from 'node:worker_threads';
import type { Server } from 'node:net';
import { helperOf, type Backend, type EngineOptions } from '../engine-options';
import { environment } from '../environment';
import type { EngineLimits, ServerLimits } from '../limit-options';
import { kLimits } from '../net/node/internals';
import type { Transport } from '../port/contract';
import type { EngineStats } from '../port/stats';

/** Where the engine stands; what of it is asked for is read when somebody asks. */
export interface ObservedEngine {
  readonly backend: Backend;
  readonly transport: Transport | null;
  readonly options: EngineOptions;
  stats(): EngineStats;
}

/** A server that listens on the core. */
export interface ServerSnapshot {
  /** `127.0.0.1:8080`, `[::1]:8080` or a path. */
  readonly address: string;
  /** Open connections, as the server counts them. */
  readonly connections: number;
  readonly maxConnections: number | null;
  readonly limits: ServerLimits | null;
}

export interface EndpointSnapshot {
  /** Of the package. */
  readonly version: string;
  readonly pid: number;
  /** 0 is the main thread. */
  readonly thread: number;
  readonly node: string;
  /** What the process runs. */
  readonly program: string;
  readonly backend: Backend;
  /** Why `node:net` serves; null where it does not. */
  readonly reason: string | null;
  /** What may drive beside the event loop: `engine.configure({ helper })`. */
  readonly helper: NonNullable<EngineOptions['helper']>;
  readonly uptimeSeconds: number;
  /** When this was read, in milliseconds of a clock that never goes back: for rates. */
  readonly clockMs: number;
  /** Processor time of all threads of the process. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Of the event loop since the start; waiting in the port is idle. */
  readonly loop: { readonly idleMs: number; readonly activeMs: number };
  readonly queues: {
    /** Bytes that sockets of the core have been given and the system has not taken. */
    readonly bytesWaiting: number;
    readonly socketsWaiting: number;
    readonly longestBytes: number;
  };
  readonly limits: EngineLimits | null;
  readonly servers: readonly ServerSnapshot[];
  readonly stats: EngineStats;
}

function queuesOf(transport: Transport | null): EndpointSnapshot['queues'] {
  let [bytesWaiting, socketsWaiting, longestBytes] = [0, 0, 0];
  for (const { writeQueueSize } of transport?.connections() ?? []) {
    if (writeQueueSize === 0) continue;
    bytesWaiting += writeQueueSize;
    socketsWaiting += 1;
    longestBytes = Math.max(longestBytes, writeQueueSize);
  }
  return { bytesWaiting, socketsWaiting, longestBytes };
}

type ListeningServer = Server & {
  _connections?: number;
  [kLimits]?: { readonly limits: ServerLimits };
};

function showAddress(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? '';
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${address.port}`;
}

function serversOf(transport: Transport | null): ServerSnapshot[] {
  return (transport?.listeners() ?? []).map(({ owner }) => {
    const server = owner.shownAs as ListeningServer;
    return {
      address: showAddress(server),
      connections: server._connections ?? 0,
      maxConnections: server.maxConnections ?? null,
      limits: server[kLimits]?.limits ?? null,
    };
  });
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Costs a look at each open connection. */
export function takeSnapshot(engine: ObservedEngine, version: string): EndpointSnapshot {
  const { backend, transport, options } = engine;
  const { idle, active } = performance.eventLoopUtilization();
  return {
    version,
    pid: process.pid,
    thread: threadId,
    node: process.version,
    program: process.argv[1] ?? process.title,
    backend,
    reason: environment().fallbackReason,
    helper: helperOf(options),
    uptimeSeconds: process.uptime(),
    clockMs: performance.now(),
    cpuMs: cpuMs(),
    rssBytes: process.memoryUsage.rss(),
    loop: { idleMs: idle, activeMs: active },
    queues: queuesOf(transport),
    limits: options.limits ?? null,
    servers: serversOf(transport),
    stats: engine.stats(),
  };
}

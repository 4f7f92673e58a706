/**
 * What the copies of our modules in one environment (a process, a worker) share. There is more than
 * one where a test runner resets its registry of modules, or a package brings its own of us: all use
 * the engine that the first has opened.
 *
 * The slot is on Node's `net`, of which each environment has one, whoever loads it; test runners
 * give each test a copy of `process` and of the globals. A version of ours shares with its equals
 * only, so that what they share can change with every version. Under the symbol is an object without
 * prototype, from versions to slots; that alone may never change.
 */
import type { Backend, EngineOptions } from './engine-options';
import { noDrops, type DropStats } from './drops';
import type { NetSocket } from './net/node/internals';
import type { Carriers } from './net/ipc/carrier';
import type { PortTransport } from './port/transport';

export interface RunningEngine {
  readonly backend: Exclude<Backend, 'node'>;
  readonly transport: PortTransport;
  readonly options: EngineOptions;
}

interface Queued {
  /** At least what waits: what has left since is not subtracted before somebody counts anew. */
  bytes: number;
  readonly bySocket: Map<NetSocket, number>;
}

interface Slot {
  running: RunningEngine | null;
  /** Why `node:net` serves, once that was told; null where it does not. */
  fallbackReason: string | null;
  /** Whether `NODE_DEBUG=iocp-net` has its lines. */
  isLogging: boolean;
  /** Whether what `IOCP_NET_ENDPOINT` asks for was opened, or tried. */
  isEndpointRequested: boolean;
  /** Objects `process` that list what the engine has open. */
  readonly listing: WeakSet<object>;
  /** Whether the event loop's waiting in our ports counts as idle. */
  isWaitingCounted: boolean;
  carriers: Carriers | null;
  /** Connections that limits have dropped. */
  readonly drops: DropStats;
  /** What waits in sockets to be sent, where the engine limits that. */
  readonly queued: Queued;
}

const key = Symbol.for('iocp-net');

let found: Slot | undefined;

/** Of all versions that are here. Only those of ours are known to look like this. */
export function slotsOf(): Record<string, Slot> {
  const holder = process.getBuiltinModule('node:net') as unknown as Record<
    symbol,
    Record<string, Slot> | undefined
  >;
  if (holder[key] === undefined) {
    Object.defineProperty(holder, key, { value: Object.create(null) as object });
  }
  return holder[key] as unknown as Record<string, Slot>;
}

/** Of this package. */
export function packageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a literal in what is built
  return (require('../package.json') as { version: string }).version;
}

function findSlot(): Slot {
  return (slotsOf()[packageVersion()] ??= {
    running: null,
    fallbackReason: null,
    isLogging: false,
    isEndpointRequested: false,
    listing: new WeakSet(),
    isWaitingCounted: false,
    carriers: null,
    drops: noDrops(),
    queued: { bytes: 0, bySocket: new Map() },
  });
}

export function environment(): Slot {
  return (found ??= findSlot());
}

/**
 * A module that outlives this copy of ours, by its path in `dist`. A test runner's copy lives in a
 * context of its own, whose globals are taken away after the test; there the module comes from
 * Node's loader, past the runner's. Elsewhere `here` loads it.
 */
export function loadForAll<Module>(path: string, here: () => Module): Module {
  const builtin = process.getBuiltinModule('node:net');
  if (Object.getPrototypeOf(builtin) === Object.prototype) return here();
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(__filename)(`./${path}.js`) as Module;
}

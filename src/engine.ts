/**
 * `iocp-net/engine`: which core runs, how it is set up, and what it has done.
 *
 * Nothing is opened before the first socket or server is made, or `engine.backend` is read: a
 * program that only imports us creates no thread and makes no system call.
 *
 * @packageDocumentation
 */
import { isDeepStrictEqual } from 'node:util';
import { channels, debug } from './diagnostics/channels';
import {
  checkOptions,
  LEAST_RECEIVE_BYTES,
  LEAST_SEND_BYTES,
  limitsOf,
  MIB,
  type Backend,
  type EngineOptions,
} from './engine-options';
import type { EngineEndpoint } from './endpoint/endpoint';
import type { ObservedEngine } from './endpoint/snapshot';
import { environment, loadForAll, packageVersion, type RunningEngine } from './environment';
import { invalidValue } from './invalid-value';
import type { EngineLimits } from './limit-options';
import type { Binding, PortSettings } from './port/binding';
import type { Transport } from './port/contract';
import { readStats, type EngineStats } from './port/stats';
import type { PortTransport } from './port/transport';
import type { PlannedPort } from './port-plan';
import { lackOfRuntime } from './runtime';

export type { Backend, EngineOptions } from './engine-options';
export type * from './diagnostics/messages';
export type { DropStats } from './drops';
export type { EngineEndpoint } from './endpoint/endpoint';
export type { EndpointSnapshot, ServerSnapshot } from './endpoint/snapshot';
export type { EngineLimits } from './limit-options';
export type { PortPlan, PortsByClass } from './port-options';
export type { EngineStats, OperationStats, PortStats } from './port/stats';
export type { TrafficClass } from './traffic-class';

/** Slots of each ring. A full ring costs a detour, never an error. */
const RING_ENTRIES = 8192;
const SOCKETS_PER_PORT = 1 << 17;

type Addon = typeof import('./port/addon');

type Chosen =
  { readonly state: 'core'; readonly engine: RunningEngine } | { readonly state: 'node' };

let choice: Chosen | { readonly state: 'unchosen' } = { state: 'unchosen' };
/** On no prototype: what others put on Object.prototype is no option. */
const noOptions = (): EngineOptions => Object.create(null) as EngineOptions;

let options: EngineOptions = noOptions();

type Planned = typeof import('./port-plan');

/**
 * Whether threads are to drive all ports, in the order in which that is tried. In Electron the event
 * loop is not run by Node: another thread waits for it, so that nobody may wait within it. Nor may
 * two engines: where that of another version waits in the loop, it would not see what comes to ours.
 */
const byThreads = (): boolean[] =>
  'electron' in process.versions || loadPlan().otherVersionRuns() ? [true] : [false, true];

/** A port without streams has no use for slabs, nor for a helper. */
function portSettings(backend: string, { classes, driving, core }: PlannedPort): PortSettings {
  const hasStreams = classes.includes('stream');
  return {
    backend,
    submissionEntries: RING_ENTRIES,
    completionEntries: RING_ENTRIES,
    receiveSlabBytes: hasStreams ? (options.receiveBytes ?? 16 * MIB) : LEAST_RECEIVE_BYTES,
    sendSlabBytes: hasStreams ? (options.sendBytes ?? 4 * MIB) : LEAST_SEND_BYTES,
    socketCapacity: SOCKETS_PER_PORT,
    lingerMs: options.linger ?? 1000,
    driving,
    helper: hasStreams && options.helper !== 'never',
    batchSends: requestedBackend() === undefined,
    takesAccepted: hasStreams,
    core,
  };
}

const BACKENDS: readonly string[] = ['iocp', 'epoll', 'io_uring', 'node'] satisfies Backend[];

/** What `IOCP_NET_BACKEND` asks for; undefined where it says nothing. */
function requestedBackend(): Backend | undefined {
  const value = process.env['IOCP_NET_BACKEND'];
  if (value === undefined || value === '') return undefined;
  if (BACKENDS.includes(value)) return value as Backend;
  throw invalidValue('IOCP_NET_BACKEND', value, "it must be 'iocp', 'epoll', 'io_uring' or 'node'");
}

function loadAddonFinder(): Addon {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- needed by the first socket only
  return loadForAll('port/addon', () => require('./port/addon') as Addon);
}

function loadPorts(): typeof import('./port/transport') {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- needed by the first socket only
  return loadForAll('port/transport', () => require('./port/transport') as never);
}

function loadPlan(): Planned {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- needed by the first socket only
  return loadForAll('port-plan', () => require('./port-plan') as Planned);
}

function openBackend(binding: Binding, backend: string): PortTransport | string {
  const refusal = binding.probe(backend);
  if (refusal !== null) return `${backend}: ${refusal}`;
  let reason = '';
  for (const onlyThreads of byThreads()) {
    const ports = loadPlan()
      .planPorts(options, backend, onlyThreads)
      .map((port) => ({
        classes: port.classes,
        settings: portSettings(backend, port),
      }));
    try {
      return new (loadPorts().PortTransport)(binding, ports);
    } catch (error) {
      reason = (error as Error).message;
    }
    // There is no other way to try.
    if (ports.every(({ settings }) => settings.driving === 'thread')) break;
  }
  return `${backend}: ${reason}`;
}

function fallBack(reason: string, requested = false): Chosen {
  const shared = environment();
  if (shared.fallbackReason !== null) return { state: 'node' };
  shared.fallbackReason = reason;
  if (channels.fallback.hasSubscribers) channels.fallback.publish({ reason, requested });
  if (requested) return { state: 'node' };
  process.emitWarning(`iocp-net runs on node:net, because ${reason}`, {
    type: 'IocpNetWarning',
    code: 'IOCP_NET_FALLBACK',
  });
  return { state: 'node' };
}

const BUNDLERS = 'docs/bundlers.md';

/**
 * Only where the core has a backend, and not where the process may load no addon at all. A bundle
 * looks for none in the package's folder.
 */
function remedyFor(error: unknown, isBundled: boolean): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (process.platform !== 'linux' || code === 'ERR_DLOPEN_DISABLED') return '';
  if (!isBundled) return '\n`npx iocp-net build` makes one on this machine.';
  if (message.includes(BUNDLERS)) return '';
  return `\nThe bundle needs one for this system: see the package's ${BUNDLERS}.`;
}

function choose(): Chosen {
  const requested = requestedBackend();
  if (requested === 'node') return fallBack('IOCP_NET_BACKEND=node asks for it', true);
  const shared = environment();
  const { running } = shared;
  if (running !== null && (requested ?? running.backend) === running.backend) {
    return { state: 'core', engine: running };
  }
  const lack = lackOfRuntime();
  if (lack !== null) return fallBack(lack);
  let binding: Binding;
  const addon = loadAddonFinder();
  try {
    binding = addon.loadAddon();
  } catch (error) {
    const { message } = error as Error;
    const remedy = remedyFor(error, addon.isBundled());
    return fallBack(`its binary could not be loaded: ${message.trimEnd()}${remedy}`);
  }
  const refusals: string[] = [];
  for (const backend of binding.backends()) {
    if (requested !== undefined && backend !== requested) continue;
    const opened = openBackend(binding, backend);
    if (typeof opened !== 'string') {
      const opens = { backend: backend as RunningEngine['backend'], transport: opened, options };
      shared.running ??= opens;
      opened.tellOpened(opens.backend, requested ?? null, refusals);
      return { state: 'core', engine: opens };
    }
    refusals.push(opened);
  }
  if (refusals.length === 0) refusals.push(`${requested} does not exist on ${process.platform}`);
  return fallBack(`no backend can be used (${refusals.join(', ')})`);
}

/** Node's own sockets do not tell how much waits in them. */
function warnOfLimits(): void {
  if (options.limits === undefined) return;
  process.emitWarning("the engine's limits are not kept, because iocp-net runs on node:net", {
    type: 'IocpNetWarning',
    code: 'IOCP_NET_LIMITS',
  });
}

function loadEndpoint(): typeof import('./endpoint/endpoint') {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs have one
  return loadForAll('endpoint/endpoint', () => require('./endpoint/endpoint') as never);
}

/** For an endpoint, which outlives this copy of our modules. */
function observed(now: Chosen): ObservedEngine {
  const {
    backend,
    transport,
    options: given,
  } = now.state === 'core' ? now.engine : { backend: 'node' as const, transport: null, options };
  const { drops } = environment();
  return { backend, transport, options: given, stats: () => readStats(transport, drops) };
}

/** What `IOCP_NET_ENDPOINT` asks for, once in an environment. */
function openRequestedEndpoint(now: Chosen): void {
  const value = process.env['IOCP_NET_ENDPOINT'];
  if (value === undefined || value === '') return;
  const shared = environment();
  if (shared.isEndpointRequested) return;
  shared.isEndpointRequested = true;
  loadEndpoint().openRequestedEndpoint(value, observed(now), packageVersion());
}

function chosen(): Chosen {
  if (choice.state !== 'unchosen') return choice;
  const now = choose();
  choice = now;
  if (now.state === 'node') warnOfLimits();
  openRequestedEndpoint(now);
  return now;
}

/**
 * The ports of this environment, opened at first use; null when `node:net` has to serve.
 * @internal
 */
export function transport(): Transport | null {
  const now = chosen();
  return now.state === 'core' ? now.engine.transport : null;
}

/**
 * The limits of the engine that runs; null where there are none.
 * @internal
 */
export function engineLimits(): EngineLimits | null {
  const now = chosen();
  return now.state === 'core' ? limitsOf(now.engine.options) : null;
}

/** What another copy of our modules has opened serves this one, too, if it is set up the same. */
function canStillBe(wanted: EngineOptions): boolean {
  if (choice.state !== 'unchosen') return false;
  const { running } = environment();
  return running === null || isDeepStrictEqual(running.options, wanted);
}

/** The engine of this thread of JavaScript: main thread and workers have one each. */
export const engine = {
  /** What serves this environment. Reading it chooses, if nothing has yet. */
  get backend(): Backend {
    const now = chosen();
    return now.state === 'core' ? now.engine.backend : 'node';
  },

  /**
   * Sets options, before the first socket or server.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for bad options;
   * `ERR_INVALID_STATE` when the engine runs already.
   */
  configure(given: EngineOptions): void {
    if (typeof given !== 'object' || given === null) {
      const error = new TypeError('The "options" argument must be of type object.');
      throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
    }
    const wanted = Object.assign(noOptions(), options, given);
    checkOptions(wanted);
    if (!canStillBe(wanted)) {
      const error = new Error('Invalid state: the engine is configured before its first use');
      throw Object.assign(error, { code: 'ERR_INVALID_STATE' });
    }
    options = wanted;
  },

  /** Counters since the start, read from shared memory without a call. */
  stats(): EngineStats {
    const now = choice;
    const { drops, running } = environment();
    return readStats((now.state === 'core' ? now.engine : running)?.transport ?? null, drops);
  },
  /**
   * Opens a local socket (on Windows a named pipe) that tells these counters and more to whoever
   * may open it, which is this user alone: `iocp-net top` reads it. Off by default. Read only; it
   * does not hold the event loop, and is not among what it counts. Starts the engine.
   *
   * Each request costs a look at every open connection, and about 0.1 ms beside that.
   *
   * @param path a path, or a folder, where the file gets the name of the process. On Windows a name
   * that begins with `\\.\pipe\`. Default: a folder of the user's (docs/engine.md).
   * @throws `ERR_INVALID_ARG_VALUE` for what is no such path, `EADDRINUSE` where somebody listens
   * there, `EACCES` where others may write to the folder, `ENAMETOOLONG`; as rejections.
   */
  async openEndpoint(path?: string): Promise<EngineEndpoint> {
    return loadEndpoint().openEndpoint(path, observed(chosen()), packageVersion());
  },
};

// One log for all copies of our modules.
if (debug.enabled && !environment().isLogging) {
  environment().isLogging = true;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only where it is asked for
  const here = (): typeof import('./diagnostics/log') => require('./diagnostics/log') as never;
  loadForAll('diagnostics/log', here).startLog(debug);
}

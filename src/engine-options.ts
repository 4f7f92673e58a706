/** What `engine.configure()` takes. */
import { invalidValue } from './invalid-value';
import type { EngineLimits } from './limit-options';
import type { PortsByClass } from './port-options';

/** `'node'` means that `node:net` serves, because no backend could be used or by request. */
export type Backend = 'iocp' | 'epoll' | 'io_uring' | 'node';

export interface EngineOptions {
  /**
   * What a thread beside JavaScript's does. `'auto'`, the default: the event loop drives the port,
   * and a helper takes over while JavaScript is away from it for more than a millisecond, or is
   * saturated and a core is free. Costs a look per millisecond in which the port is busy. `'never'`:
   * no thread; what was not sent at once waits for the event loop. `'always'`: threads drive, one
   * for each port; every message crosses two threads, which pays off under saturation only.
   */
  helper?: 'auto' | 'never' | 'always';
  /**
   * Ports of this thread of JavaScript: completion queues, of which each has a thread that drives it
   * (`helper: 'always'`, which is then the default) and the memory below. Default 1; at most 64. Or
   * an object: which classes of traffic have a port of their own.
   */
  ports?: number | PortsByClass;
  /**
   * Cores to pin those threads or the helper to: a list (one core per port), or `'auto'` for the last
   * cores. Default `'none'`: the scheduler chooses, which is best unless the machine is ours alone.
   */
  affinity?: 'none' | 'auto' | readonly number[];
  /**
   * Bytes of received data that a port may hold until JavaScript has taken them. Touched only as
   * needed and trimmed when idle. Default 16 MiB, at least 1 MiB.
   */
  receiveBytes?: number;
  /** Bytes for small writes on their way out, likewise. Default 4 MiB, at least 256 KiB. */
  sendBytes?: number;
  /**
   * How long a closed socket may still send what was written and drain its peer, in milliseconds.
   * Default 1000, at most 60000.
   */
  linger?: number;
  /** What all sockets of this thread of JavaScript may do together. Off by default. */
  limits?: EngineLimits;
}

const KIB = 1024;
export const MIB = 1024 * KIB;
export const LEAST_RECEIVE_BYTES = MIB;
export const LEAST_SEND_BYTES = 256 * KIB;

function checkInteger(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalidValue(name, value, `it must be an integer from ${least} to ${most}`);
  }
}

function checkAffinity(affinity: unknown): void {
  if (affinity === undefined || affinity === 'none' || affinity === 'auto') return;
  const isList =
    Array.isArray(affinity) && affinity.every((core) => Number.isInteger(core) && core >= 0);
  if (!isList)
    throw invalidValue('affinity', affinity, "it must be 'none', 'auto' or a list of cores");
}

function checkHelper({ helper, ports }: EngineOptions): void {
  if (helper === undefined || helper === 'always') return;
  if (helper !== 'auto' && helper !== 'never') {
    throw invalidValue('helper', helper, "it must be 'auto', 'never' or 'always'");
  }
  if (typeof ports !== 'number') return;
  throw invalidValue('helper', helper, "with ports it must be 'always': each has its own thread");
}

type LimitOptions = typeof import('./limit-options');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs limit anything
const limitOptions = (): LimitOptions => require('./limit-options') as LimitOptions;

/** The limits, a copy; null where there are none. */
export function limitsOf({ limits }: EngineOptions): EngineLimits | null {
  return limits === undefined ? null : limitOptions().checkEngineLimits(limits);
}

type PortOptions = typeof import('./port-options');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs have more than one
const portOptions = (): PortOptions => require('./port-options') as PortOptions;

/** What helps the ports of streams, or drives them. */
export function helperOf({ helper, ports }: EngineOptions): NonNullable<EngineOptions['helper']> {
  if (helper !== undefined || ports === undefined) return helper ?? 'auto';
  const stream = typeof ports === 'object' ? ports.stream : ports;
  if (typeof stream === 'number') return 'always';
  return typeof stream === 'object' && stream.thread === true ? 'always' : 'auto';
}

/** Throws for what is no such value. Where `ports` is an object, a copy of it stands there then. */
export function checkOptions(given: EngineOptions): void {
  checkHelper(given);
  if (given.ports !== undefined) given.ports = portOptions().checkPorts(given);
  checkAffinity(given.affinity);
  checkInteger('receiveBytes', given.receiveBytes, LEAST_RECEIVE_BYTES, KIB * MIB);
  checkInteger('sendBytes', given.sendBytes, LEAST_SEND_BYTES, KIB * MIB);
  checkInteger('linger', given.linger, 0, 60_000);
  limitsOf(given);
}

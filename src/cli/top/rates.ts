/** From two answers of an endpoint to what has happened between them, per second. */
import type { EndpointSnapshot } from '../../endpoint/snapshot';

export interface Rates {
  /** Seconds between the two. */
  readonly seconds: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly accepted: number;
  readonly connected: number;
  readonly closed: number;
  readonly sends: number;
  readonly osCalls: number;
  readonly packets: number;
  readonly batches: number;
  readonly drops: number;
  readonly receivesStarved: number;
  /** Shares of the time, 0 to 1: the event loop waited, and the helper drove. */
  readonly waiting: number;
  readonly helping: number;
  /** Of the event loop, 0 to 1. */
  readonly utilization: number;
  /** Cores' worth of processor time, of all threads. */
  readonly cores: number;
}

const sum = (values: Record<string, number>): number =>
  Object.values(values).reduce((total, value) => total + value, 0);

/** Counters that are there in every answer, read from one. */
function totals({ stats, loop, cpuMs }: EndpointSnapshot) {
  const completed = (name: string): number => stats.operations[name]?.completed ?? 0;
  return {
    bytesReceived: stats.bytesReceived,
    bytesSent: stats.bytesSent,
    accepted: completed('accept'),
    connected: completed('connect'),
    closed: completed('close'),
    sends: stats.directSends + completed('send'),
    osCalls: stats.osCalls,
    packets: stats.packets,
    batches: stats.batches,
    drops: sum(stats.drops),
    receivesStarved: stats.receivesStarved,
    waiting: stats.waitedNs / 1e9,
    helping: stats.helperNs / 1e9,
    cores: cpuMs / 1000,
    idle: loop.idleMs,
    active: loop.activeMs,
  };
}

export function ratesBetween(before: EndpointSnapshot, after: EndpointSnapshot): Rates {
  const seconds = Math.max((after.clockMs - before.clockMs) / 1000, 1e-3);
  const [from, to] = [totals(before), totals(after)];
  const names = Object.keys(to) as (keyof typeof to)[];
  const { idle, active, ...rates } = Object.fromEntries(
    names.map((name) => [name, Math.max(0, to[name] - from[name]) / seconds]),
  ) as typeof to;
  const utilization = idle + active > 0 ? active / (idle + active) : 0;
  return { seconds, ...rates, utilization };
}

/** What sockets and servers take of keep-alive beside Node's options. Few programs ask for it. */
import type { KeepAliveSettings } from '../../port/contract';
import { invalidType, outOfRange } from '../../node-argument-errors';
import { bare } from '../bare';

/**
 * Options beside Node's `keepAlive` and `keepAliveInitialDelay`, for sockets and for servers, whose
 * connections they hold for. Sockets that Node serves do not know them.
 */
export interface KeepAliveOptions {
  /**
   * Milliseconds between two probes that nobody answers, 1000 to 32,767,000; parts of a second do not
   * count. By default 1 s where there is an initial delay, else what the system has (Linux 75 s).
   */
  keepAliveInterval?: number | undefined;
  /**
   * Probes without an answer after which the connection fails with `ETIMEDOUT`, 1 to 127. By default
   * 10 where there is an initial delay, else what the system has (Linux 9).
   */
  keepAliveCount?: number | undefined;
}

/** What these options say. */
export type MoreKeepAlive = Pick<KeepAliveSettings, 'interval' | 'count'>;

type Range = readonly [least: number, most: number];

/** Of Linux, which has the narrower ones. */
const ranges: Record<keyof KeepAliveOptions, Range> = {
  keepAliveInterval: [1000, 32_767_000],
  keepAliveCount: [1, 127],
};

function checked(name: keyof KeepAliveOptions, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw invalidType(`options.${name}`, 'number', value);
  const [least, most] = ranges[name];
  if (!Number.isInteger(value)) throw outOfRange(`options.${name}`, 'an integer', value);
  if (value < least || value > most) {
    throw outOfRange(`options.${name}`, `>= ${least} && <= ${most}`, value);
  }
  return value;
}

/** What options ask for beside Node's. Throws for what is wrong. */
export function checkKeepAlive(options: KeepAliveOptions): MoreKeepAlive {
  const interval = checked('keepAliveInterval', options.keepAliveInterval);
  const count = checked('keepAliveCount', options.keepAliveCount);
  return bare({ interval: interval && ~~(interval / 1000), count });
}

import type { KeepAliveSettings } from '../../port/contract';
import { bare } from '../bare';
import { nodeSocket } from '../node/internals';
import type { KeepAliveOptions, MoreKeepAlive } from './keep-alive-options';

type Check = typeof import('./keep-alive-options');

/** What `setKeepAlive()` was asked for, times in milliseconds. */
interface KeepAliveRequest {
  enable?: unknown;
  initialDelay?: number | undefined;
  interval?: number | undefined;
  count?: number | undefined;
}

/** What our options say beside Node's; null for nothing. Throws for what is wrong. */
export function moreKeepAlive(options: KeepAliveOptions | null | undefined): MoreKeepAlive | null {
  if (options?.keepAliveInterval === undefined && options?.keepAliveCount === undefined)
    return null;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at first need
  return (require('./keep-alive-options') as Check).checkKeepAlive(options);
}

// Later Nodes also take an interval and a count, or everything in one object.
const takesInterval = nodeSocket.setKeepAlive.length > 2;

/** By the division alone, which a BigInt does not take: so it is with Node. */
const seconds = (milliseconds: number | undefined): number => ~~((milliseconds as number) / 1000);

/** Reads the arguments of `setKeepAlive()` as the running Node does. */
export function keepAliveRequest(args: readonly unknown[]): {
  enable: boolean;
  settings: KeepAliveSettings;
} {
  const { enable, initialDelay, interval, count } = readArguments(args);
  const settings: KeepAliveSettings = bare({ delay: seconds(initialDelay) });
  if (interval !== undefined) settings.interval = seconds(interval);
  if (count !== undefined) settings.count = count;
  return { enable: Boolean(enable), settings };
}

function readArguments(args: readonly unknown[]): KeepAliveRequest {
  const [enable, initialDelay, interval, count] = args as [unknown, number?, number?, number?];
  if (!takesInterval) return bare({ enable, initialDelay });
  if (typeof enable === 'object' && enable !== null) return enable;
  return { enable, initialDelay, interval, count };
}

export function isSameKeepAlive(a: KeepAliveSettings, b: KeepAliveSettings): boolean {
  return a.delay === b.delay && a.interval === b.interval && a.count === b.count;
}

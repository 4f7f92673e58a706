/**
 * What a load run is asked to do: by environment variables, because the same programs are started
 * by tap, by the Windows suite and by `run.mjs`, and because a failure has to be repeatable.
 *
 *   IOCP_NET_LOAD=full      the sizes that prove something; else quick ones of a few seconds
 *   IOCP_NET_LOAD_SEED=n    the seed that a failed run has printed
 *   IOCP_NET_LOAD_RUNS=n    repetitions, where a test repeats itself
 *   IOCP_NET_LOAD_NET=…     the module under test: 'iocp-net', or 'node:net' as a control
 */
import { randomInt } from 'node:crypto';
import { createRequire } from 'node:module';
import * as nodeNet from 'node:net';
import type { engine as Engine } from 'iocp-net/engine';

export type Net = typeof nodeNet;
export type NetName = 'iocp-net' | 'node:net';

const { env } = process;
const load = createRequire(__filename);

export const isFull = env.IOCP_NET_LOAD === 'full';
export const isWindows = process.platform === 'win32';
/** Wine passes the environment of its host on. */
export const isWine = isWindows && env.WINEPREFIX !== undefined;

export const netName: NetName = env.IOCP_NET_LOAD_NET === 'node:net' ? 'node:net' : 'iocp-net';
export const isControl = netName === 'node:net';

export const seed =
  env.IOCP_NET_LOAD_SEED === undefined ? randomInt(0x7fffffff) : Number(env.IOCP_NET_LOAD_SEED);

/** Loaded when asked for, so that a client on node:net carries nothing of ours. */
export function loadNet(name: NetName): Net {
  return name === 'node:net' ? nodeNet : (load('iocp-net') as Net);
}

/** The engine of this thread, without the module under test having been asked for. */
export function loadEngine(): typeof Engine {
  return (load('iocp-net/engine') as { engine: typeof Engine }).engine;
}

/** One size for full runs, one for quick ones, and what Wine can bear of either. */
export function sized<T>(sizes: { full: T; quick: T; wine?: T; wineQuick?: T }): T {
  const { full, quick, wine = full, wineQuick = quick } = sizes;
  if (isWindows) return isFull ? wine : wineQuick;
  return isFull ? full : quick;
}

export function runs(otherwise: number): number {
  const asked = Number(env.IOCP_NET_LOAD_RUNS);
  return asked > 0 ? asked : otherwise;
}

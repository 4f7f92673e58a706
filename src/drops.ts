/** Counters of what limits have dropped, in `engine.stats()`. */
import type { LimitReason } from './limit-options';

/** Connections dropped since the start, by why. The first two are Node's own limits. */
export type DropStats = Record<LimitReason | 'maxConnections' | 'blockList', number>;

export function noDrops(): DropStats {
  return {
    maxConnections: 0,
    blockList: 0,
    connections: 0,
    connectionsPerAddress: 0,
    acceptsPerSecond: 0,
    idleMs: 0,
    firstByteMs: 0,
    queuedBytes: 0,
    totalQueuedBytes: 0,
  };
}

/** What a soak looks at, and when what it saw is not flat. */

export interface Sample {
  /** Connections since the begin. */
  accepted: number;
  /** Connections that the server has now. */
  open: number;
  /** Bytes. */
  rss: number;
  /** Bytes on V8's heap and beside it, after a collection. */
  heap: number;
  descriptors: number | null;
  /** What Node lists as keeping the process alive. */
  handles: number;
  /** Connections that the engine has now. */
  engineSockets: number;
  /** The longest that the event loop was away since the sample before, in milliseconds. */
  stallMs: number;
}

interface Limit {
  readonly figure: 'rss' | 'heap' | 'descriptors' | 'handles' | 'engineSockets';
  /** What it may grow by, from the second quarter of the samples to the last: a share, and more. */
  readonly share: number;
  readonly more: number;
}

const MIB = 1024 * 1024;

const LIMITS: readonly Limit[] = [
  { figure: 'rss', share: 0.1, more: 8 * MIB },
  { figure: 'heap', share: 0.1, more: 2 * MIB },
  { figure: 'descriptors', share: 0, more: 32 },
  { figure: 'handles', share: 0, more: 32 },
  { figure: 'engineSockets', share: 0, more: 32 },
];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The second quarter stands for the process as it is when it is warm. */
export function growth(samples: readonly Sample[]): string[] {
  const quarter = samples.length >> 2;
  const inQuarter = (at: number, { figure }: Limit): number =>
    median(samples.slice(at * quarter, (at + 1) * quarter).map((sample) => sample[figure] ?? 0));
  return LIMITS.flatMap((limit) => {
    const warm = inQuarter(1, limit);
    const last = inQuarter(3, limit);
    return last <= warm * (1 + limit.share) + limit.more
      ? []
      : [`${limit.figure} grew from ${warm} to ${last}`];
  });
}

/** Times of single messages, in a histogram of nanoseconds. */
import type { RecordableHistogram } from 'node:perf_hooks';

export function record(latencies: RecordableHistogram, milliseconds: number): void {
  latencies.record(Math.max(1, Math.round(milliseconds * 1e6)));
}

/** In microseconds, to three digits; 0 where there is none. */
export const percentile = (latencies: RecordableHistogram, percent: number): number =>
  latencies.percentile(percent) / 1000;

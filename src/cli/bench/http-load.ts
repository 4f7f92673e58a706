/**
 * The HTTP load of one run: `http-load.js LOAD`, an `HttpLoad` as JSON. By autocannon, where the user
 * has it, which costs less than node:http and so shows more of the server. Tells its parent when the
 * window begins, and what it counted.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, record } from './latencies';
import type { HttpLoad, LoadResult } from './messages';

const load = JSON.parse(process.argv[2] ?? '{}') as HttpLoad;

interface Cannon {
  (options: object): Promise<CannonResult>;
}
interface CannonResult {
  readonly requests: { readonly total: number };
  readonly duration: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly latency: { readonly p50: number; readonly p99: number };
}

async function byAutocannon(module: string): Promise<LoadResult> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the user's
  const fire = require(module) as Cannon;
  const { url, connections, pipelining, windowMs } = load;
  const options = { url, connections, pipelining };
  await fire({ ...options, amount: connections * pipelining * 20 });
  process.send?.('begin');
  const duration = Math.max(1, Math.round(windowMs / 1000));
  const { requests, latency, ...result } = await fire({ ...options, duration });
  return {
    messages: requests.total,
    seconds: result.duration,
    failed: result.errors + result.non2xx,
    p50: latency.p50 * 1000,
    p99: latency.p99 * 1000,
  };
}

enum Phase {
  Warm,
  Counting,
  Over,
}

async function byNode(): Promise<LoadResult> {
  const { url, connections, warmMs, windowMs } = load;
  const { Agent, get } = url.startsWith('https:') ? https : http;
  // A server that somebody measures on his own machine has a certificate that nobody knows.
  const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  const latencies = createHistogram();
  let phase: Phase = Phase.Warm;
  let failed = 0;
  const request = (): Promise<boolean> =>
    new Promise((answer) => {
      const sent = get(url, { agent }, (response) => {
        response.on('error', () => answer(false));
        response.on('end', () => answer((response.statusCode ?? 500) < 300));
        response.resume();
      });
      sent.on('error', () => answer(false));
    });
  const keepAsking = async (): Promise<void> => {
    while (phase !== Phase.Over) {
      const begin = performance.now();
      const isGood = await request();
      if (phase === Phase.Counting) {
        if (isGood) record(latencies, performance.now() - begin);
        else failed += 1;
      }
      if (!isGood) await sleep(10);
    }
  };
  for (let each = 0; each < connections; each += 1) void keepAsking();
  await sleep(warmMs);
  process.send?.('begin');
  phase = Phase.Counting;
  const begin = performance.now();
  await sleep(windowMs);
  phase = Phase.Over;
  return {
    messages: latencies.count,
    seconds: (performance.now() - begin) / 1000,
    failed,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
  };
}

process.on('disconnect', () => process.exit());
void (load.autocannon === undefined ? byNode() : byAutocannon(load.autocannon)).then((result) =>
  process.send?.(result, () => process.exit()),
);

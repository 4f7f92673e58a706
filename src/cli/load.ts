/**
 * The load of one run: `load.js KIND PORT CONNECTIONS BYTES PIPELINING WARM_MS WINDOW_MS AUTOCANNON`.
 * Its sockets are node:net's. Tells its parent when the window begins, and what it counted.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult } from './messages';

const [kind, ...words] = process.argv.slice(2);
const [port = 0, connections = 0, bytes = 0, pipelining = 1, warmMs = 0, windowMs = 0] = words
  .slice(0, 6)
  .map(Number);
const autocannon = words[6] ?? '';

let counting = false;
let messages = 0;
const latencies: number[] = [];

/** Sends a message, waits until all of it is back, sends the next. */
function keepEchoing(socket: Socket): void {
  const message = Buffer.alloc(bytes, 'm');
  let received = 0;
  let sent = 0;
  const send = () => {
    sent = performance.now();
    socket.write(message);
  };
  socket.on('data', (chunk) => {
    received += chunk.length;
    if (received < bytes) return;
    if (received > bytes) throw new Error('the server sent more than it was sent');
    received = 0;
    if (counting) {
      messages += 1;
      latencies.push(performance.now() - sent);
    }
    send();
  });
  send();
}

function connected(): Promise<Socket> {
  return new Promise((done, failed) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => done(socket));
    socket.once('error', failed);
  });
}

function tell(result: LoadResult): void {
  process.send?.(result, () => process.exit());
}

async function echo(): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: connections }, connected));
  for (const socket of sockets) keepEchoing(socket);
  await sleep(warmMs);
  process.send?.('begin');
  counting = true;
  const begin = performance.now();
  await sleep(windowMs);
  const seconds = (performance.now() - begin) / 1000;
  counting = false;
  latencies.sort((a, b) => a - b);
  const p99 = (latencies[Math.floor(latencies.length * 0.99)] ?? 0) * 1000;
  tell({ messages, seconds, p99 });
}

interface Cannon {
  (options: object): Promise<CannonResult>;
}
interface CannonResult {
  readonly requests: { readonly total: number };
  readonly duration: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly latency: { readonly p99: number };
}

async function http(): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the user's, if there is one
  const fire = require(autocannon) as Cannon;
  const options = { url: `http://127.0.0.1:${port}/`, connections, pipelining };
  await fire({ ...options, amount: connections * pipelining * 20 });
  process.send?.('begin');
  const result = await fire({ ...options, duration: Math.max(1, Math.round(windowMs / 1000)) });
  if (result.errors + result.non2xx > 0) throw new Error('requests failed');
  const { requests, duration, latency } = result;
  tell({ messages: requests.total, seconds: duration, p99: latency.p99 * 1000 });
}

process.on('disconnect', () => process.exit());
void (kind === 'http' ? http() : echo());

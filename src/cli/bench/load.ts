/**
 * The echo load of one run: `load.js PORT CONNECTIONS BYTES WARM_MS WINDOW_MS`. Its sockets are
 * node:net's. Tells its parent when the window begins, and what it counted.
 */
import { connect, type Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, record } from './latencies';
import type { LoadResult } from './messages';

const [port = 0, connections = 0, bytes = 0, warmMs = 0, windowMs = 0] = process.argv
  .slice(2)
  .map(Number);

let counting = false;
const latencies = createHistogram();

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
    if (counting) record(latencies, performance.now() - sent);
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

async function echo(): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, connected));
  for (const socket of sockets) keepEchoing(socket);
  await sleep(warmMs);
  process.send?.('begin');
  counting = true;
  const begin = performance.now();
  await sleep(windowMs);
  const seconds = (performance.now() - begin) / 1000;
  counting = false;
  return {
    messages: latencies.count,
    seconds,
    failed: 0,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
  };
}

process.on('disconnect', () => process.exit());
void echo().then((result) => process.send?.(result, () => process.exit()));

import t from 'tap';
import { once } from 'node:events';
import { performance, PerformanceObserver } from 'node:perf_hooks';
import type { PerformanceEntry } from 'node:perf_hooks';
import * as net from 'iocp-net';
import { closed, closeServer, listen, unusedPort } from '../support/sockets';

t.test('an observer of net gets an entry for each connect that succeeds', async (test) => {
  const entries: (PerformanceEntry & { detail?: unknown })[] = [];
  const observer = new PerformanceObserver((list) => void entries.push(...list.getEntries()));
  observer.observe({ type: 'net' } as never);
  const server = net.createServer((socket) => socket.resume());
  const port = await listen(server);
  const before = performance.now();
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  const failing = net.connect(await unusedPort(net), '127.0.0.1');
  await once(failing, 'error');
  const named = net.connect({ port, host: 'localhost', family: 4 });
  await once(named, 'connect');
  while (entries.length < 2) await new Promise(setImmediate);
  observer.disconnect();
  test.match(
    entries.map(({ name, entryType }) => ({ name, entryType })),
    Array(2).fill({ name: 'connect', entryType: 'net' }),
  );
  test.strictSame(
    entries.map(({ detail }) => detail),
    Array(2).fill({ host: '127.0.0.1', port }),
  );
  for (const { startTime, duration } of entries) {
    test.ok(startTime >= before);
    test.ok(duration > 0 && startTime + duration <= performance.now());
  }

  const unseen = net.connect(port, '127.0.0.1');
  await once(unseen, 'connect');
  await new Promise(setImmediate);
  test.equal(entries.length, 2, 'nothing after disconnect()');
  await Promise.all([client, named, unseen].map(closed));
  await closeServer(server);
});

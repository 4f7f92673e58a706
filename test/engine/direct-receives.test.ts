/** How much JavaScript receives itself before others have their turn. */
import t from 'tap';
import { setImmediate } from 'node:timers/promises';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { connectedPair, delay, pattern } from '../support/sockets';

engine.configure({ ports: 1 }); // the bound is each port's

const KIB = 1 << 10;
const MIB = 1 << 20;

t.test('a thousandth of a second, however many connections are in bulk', async (test) => {
  const pairs = await Promise.all(Array.from({ length: 300 }, () => connectedPair(net)));
  const message = pattern(256 * KIB);
  const sent = pairs.map(() => 0);
  const writeAll = (): void => {
    pairs.forEach(({ client }, i) => {
      client.write(message);
      sent[i] = (sent[i] ?? 0) + message.length;
    });
  };
  const isAllReceived = (): boolean => pairs.every(({ peer }, i) => peer.bytesRead === sent[i]);
  for (const { peer } of pairs) peer.resume();
  writeAll(); // tells that they are in bulk, and widens the system's windows
  while (!isAllReceived()) await delay(1);

  writeAll();
  // Behind the tick in which the writes leave: the system takes in what it can meanwhile.
  const blocked = new Int32Array(new SharedArrayBuffer(4));
  await new Promise<void>((resolve) =>
    process.nextTick(() => {
      Atomics.wait(blocked, 0, 0, 300);
      resolve();
    }),
  );
  let most = 0;
  let before = engine.stats().directBytesReceived;
  while (!isAllReceived()) {
    await setImmediate();
    const now = engine.stats().directBytesReceived;
    most = Math.max(most, now - before);
    before = now;
  }
  // 4 MiB and what its last connection goes on to; a wake-up's dispatch and a turn of our own may
  // both come between two looks.
  test.ok(most <= 10 * MIB, `${(most / MIB).toFixed(1)} MiB at once`);
  test.ok(most > MIB, 'and much was there');
  await Promise.all(pairs.map(({ close }) => close()));
});

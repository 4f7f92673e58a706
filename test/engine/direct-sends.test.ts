/** What JavaScript sends itself, because waking the I/O thread for it would cost more. */
import t from 'tap';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { connectedPair, delay, pattern, readAll, receive } from '../support/sockets';

engine.configure({ ports: 1 }); // the bounds are each port's

t.test('a write to a quiet port, in one go where the system takes it', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  for (const size of [100, 65_536, 131_072]) {
    await delay(50); // until the I/O thread sleeps
    const { directBytesSent } = engine.stats();
    const sent = pattern(size);
    await new Promise((resolve) => client.write(sent, resolve));
    test.ok(engine.stats().directBytesSent > directBytesSent, `${size} bytes`);
    // It is the caller's again, also while the peer has not read.
    sent.fill(0);
    const received = await receive(peer, size);
    test.ok(received.equals(pattern(size)));
  }
  const { directBytesSent } = engine.stats();
  peer.resume();
  await new Promise((resolve) => client.write(pattern(1 << 20), resolve));
  test.equal(engine.stats().directBytesSent, directBytesSent, 'more than that is handed over');
  await close();
});

t.test('the large writes of a tick, up to 4 MiB of them', async (test) => {
  const size = 64 << 10;
  const pairs = await Promise.all(Array.from({ length: 100 }, () => connectedPair(net)));
  const before = engine.stats().directSends;
  for (const { client } of pairs) client.write(pattern(size));
  const direct = engine.stats().directSends - before;
  test.equal(direct, 64);
  const received = await Promise.all(
    pairs.map(async ({ client, peer }) => {
      client.end();
      return readAll(peer);
    }),
  );
  test.ok(received.every((bytes) => bytes.equals(pattern(size))));
  await Promise.all(pairs.map(({ close }) => close()));
});

t.test('what the system does not take at once follows in its order', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  peer.pause();
  const { directBytesSent } = engine.stats();
  const whole = pattern(40 << 20);
  const size = 100_000;
  let answered = 0;
  for (let at = 0; at < whole.length; at += size) {
    client.write(whole.subarray(at, at + size), () => answered++);
    if (at % (size * 40) === 0) await delay(1); // some in a tick of their own
  }
  await delay(100);
  test.ok(engine.stats().directBytesSent > directBytesSent);
  test.ok(answered < whole.length / size, 'the peer takes in less than that');
  client.end();
  test.ok((await readAll(peer)).equals(whole));
  test.equal(answered, Math.ceil(whole.length / size));
  test.equal(client.bytesWritten, whole.length);
  await close();
});

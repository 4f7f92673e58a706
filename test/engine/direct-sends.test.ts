/** Writes are sent by the thread that makes them; what the system does not take goes by the port. */
import t from 'tap';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { connectedPair, pattern, readAll, receive, type Pair } from '../support/sockets';

t.test('a write of any size, as far as the system takes it', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  for (const size of [1, 100, 1000, 16_384, 65_536, 131_072]) {
    const before = engine.stats().directBytesSent;
    const sent = pattern(size);
    await new Promise((resolve) => client.write(sent, resolve));
    test.ok(engine.stats().directBytesSent > before, `${size} bytes`);
    // It is the caller's again, also while the peer has not read.
    sent.fill(0);
    const received = await receive(peer, size);
    test.ok(received.equals(pattern(size)));
  }
  await close();
});

t.test('all writes of a tick', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const before = engine.stats().directSends;
  for (let i = 0; i < 300; i++) client.write('x');
  test.equal(engine.stats().directSends - before, 300);
  test.equal(client.writableLength, 0);
  test.equal((await receive(peer, 300)).length, 300);
  await close();
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
    if (at % (size * 40) === 0) await new Promise(setImmediate); // some in a tick of their own
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  test.ok(engine.stats().directBytesSent > directBytesSent);
  test.ok(answered < whole.length / size, 'the peer takes in less than that');
  client.end();
  test.ok((await readAll(peer)).equals(whole));
  test.equal(answered, Math.ceil(whole.length / size));
  test.equal(client.bytesWritten, whole.length);
  await close();
});

t.test('the answers to one chunk are gathered, on a connection that answers so', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const answers = 20;
  peer.on('data', () => {
    for (let i = 0; i < answers; i++) peer.write('answer');
  });
  const ask = async (): Promise<number> => {
    const before = engine.stats().directSends;
    client.write('?');
    await receive(client, answers * 'answer'.length);
    return engine.stats().directSends - before;
  };
  test.equal(await ask(), 1 + answers, 'the first are sent one by one');
  // The question, and the first answer. The others are submitted, and handed over as one send.
  test.equal(await ask(), 2);
  test.equal(await ask(), 2);
  await close();
});

/** Sends that are made while so many connections are asked and answer, all in one turn. */
async function sendsOf(count: number): Promise<number> {
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) pairs.push(await connectedPair(net));
  for (const { peer } of pairs) peer.on('data', () => peer.write('answer'));
  const before = engine.stats().directSends;
  for (const { client } of pairs) client.write('?');
  await Promise.all(pairs.map(({ client }) => receive(client, 'answer'.length)));
  const sends = engine.stats().directSends - before;
  await Promise.all(pairs.map(({ close }) => close()));
  return sends;
}

t.test('a few answers leave as they are made: their peers go on meanwhile', async (test) => {
  test.equal(await sendsOf(4), 4 + 4);
});

t.test('the answers to many leave together', async (test) => {
  const sends = await sendsOf(24);
  // Where there is no helper, none waits for another; else one may be alone when time is up.
  if (engine.backend === 'io_uring') test.equal(sends, 24 + 24);
  else test.ok(sends < 24 + 12, `${sends}`);
});

t.test(
  'memory of corked writes is not sent from any more once they are called back for',
  async (test) => {
    const { client, peer, close } = await connectedPair(net);
    peer.pause();
    const before = engine.stats().bytesSent;
    const isTaken = (): boolean => engine.stats().bytesSent - before === client.bytesWritten;
    // Little by little, until the system takes no more: a little is left to be sent.
    while (isTaken()) await new Promise((resolve) => client.write(pattern(500), resolve));
    const written = client.bytesWritten;
    const bytes = pattern(6000);
    client.cork();
    client.write(bytes);
    // Nobody knows how long this is before it is encoded; so these are sent one after the other.
    client.write('ff', 'hex', () => bytes.fill(0));
    client.uncork();
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.end();
    const whole = await readAll(peer);
    test.ok(whole.subarray(written, -1).equals(pattern(6000)));
    await close();
  },
);

t.test('of a text the system takes a part, too', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  peer.pause();
  const texts: string[] = [];
  const write = (text: string): boolean => {
    texts.push(text);
    return client.write(text, 'latin1');
  };
  // Of different lengths, so that the last one does not happen to fit.
  for (let size = 4000; write('abcdefg'.repeat(size).slice(0, size));) size = 4000 + (size % 97);
  client.end();
  const whole = texts.join('');
  test.equal(String(await readAll(peer)), whole);
  test.equal(client.bytesWritten, whole.length);
  await close();
});

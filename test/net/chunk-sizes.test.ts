/**
 * Receive buffers that adapt: 4 KiB for who sends little, 64 KiB for who sends more, where the system
 * has them before it has something to put into them. With epoll they are taken when that has come,
 * and are large ones as long as there are some.
 */
import t from 'tap';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { connectedPair, delay } from '../support/sockets';

const SMALL = 4096;
const ROUNDS = 50;

const adapts = ['iocp', 'io_uring'].includes(engine.backend) ? {} : { skip: 'of other backends' };

type Pair = Awaited<ReturnType<typeof connectedPair>>;

interface Counted {
  small: number;
  large: number;
  pinned: number;
}

/** Chunks that were delivered, by their size. */
function counted(): Counted {
  const { operations, largeReceives: large, pinnedReceives: pinned } = engine.stats();
  return { small: (operations['receive']?.completed ?? 0) - large - pinned, large, pinned };
}

async function during(play: () => Promise<unknown>): Promise<Counted> {
  const before = counted();
  await play();
  const after = counted();
  return {
    small: after.small - before.small,
    large: after.large - before.large,
    pinned: after.pinned - before.pinned,
  };
}

/** Messages of so many bytes, each after the one before has come. */
async function talk({ client, peer }: Pair, bytes: number, rounds = ROUNDS): Promise<void> {
  const message = Buffer.alloc(bytes, 'm');
  for (let round = 0; round < rounds; round++) {
    client.write(message);
    while (peer.bytesRead < client.bytesWritten) await delay(1);
  }
}

async function pairs(count: number): Promise<Pair[]> {
  const made = await Promise.all(Array.from({ length: count }, () => connectedPair(net)));
  for (const { peer } of made) peer.resume();
  return made;
}

t.test('on a mixed load each connection has the size that it fills', adapts, async (test) => {
  const [chatty, wordy] = [await pairs(10), await pairs(5)];
  // Who fills small chunks is known for it after the first message.
  await Promise.all(wordy.map((pair) => talk(pair, 8 * SMALL, 3)));
  const { small, large, pinned } = await during(() =>
    Promise.all([
      ...chatty.map((pair) => talk(pair, 100)),
      ...wordy.map((pair) => talk(pair, 8 * SMALL)),
    ]),
  );
  test.equal(small, chatty.length * ROUNDS, 'a small chunk for each little message');
  const messages = wordy.length * ROUNDS;
  const others = large + pinned;
  test.ok(others >= messages && others < 3 * messages, `${others} chunks for ${messages} messages`);
  await Promise.all([...chatty, ...wordy].map(({ close }) => close()));
});

t.test('who sends little again has small chunks again', adapts, async (test) => {
  const [pair] = await pairs(1);
  await talk(pair!, 8 * SMALL, 5);
  const learning = await during(() => talk(pair!, 100, 10));
  test.ok(learning.large + learning.pinned > 0, 'a few large ones at first');
  test.strictSame(await during(() => talk(pair!, 100)), { small: ROUNDS, large: 0, pinned: 0 });
  await pair!.close();
});

const onlyEpoll = engine.backend === 'epoll' ? {} : { skip: 'of epoll' };

t.test('with epoll a piece comes whole', onlyEpoll, async (test) => {
  const [pair] = await pairs(1);
  const { small, large } = await during(() => talk(pair!, 8 * SMALL));
  test.strictSame({ small, large }, { small: 0, large: ROUNDS });
  await pair!.close();
});

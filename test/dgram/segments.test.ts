/**
 * Datagrams of one size to one peer, which the core may hand over as one message that the system
 * cuts apart again: nobody may see that.
 */
import t from 'tap';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type * as nodeDgram from 'node:dgram';
import { engine } from 'iocp-net/engine';
import { sameAsNodeDgram } from '../support/compare';
import { entryFile } from '../support/child';

type Socket = nodeDgram.Socket;

async function bound({ createSocket }: typeof nodeDgram): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What `count` datagrams brought, as their sizes and their first bytes. */
async function arrivals(socket: Socket, count: number): Promise<string[]> {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    socket.on('message', (bytes: Buffer, { size }) => {
      seen.push(`${size} ${String(bytes.subarray(0, 1))}`);
      if (seen.length === count) resolve();
    });
  });
  return seen;
}

async function close(...sockets: Socket[]): Promise<void> {
  for (const socket of sockets) {
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }
}

const sizes = {
  'of one size': [100, 100, 100, 100],
  'the last shorter': [100, 100, 100, 99],
  'a shorter one among them': [100, 100, 1, 100, 100],
  'a longer one among them': [100, 100, 101, 100, 100],
  'empty ones among them': [100, 0, 100, 0, 0, 0, 100],
  'more than the system takes as one': Array.from({ length: 5 }, () => 30_000),
  'the longest there is among them': [65_507, 10, 10, 65_507],
};

for (const [name, lengths] of Object.entries(sizes)) {
  sameAsNodeDgram(t, name, async ({ dgram, log }) => {
    const sender = await bound(dgram);
    const receiver = await bound(dgram);
    const { port } = receiver.address();
    const all = arrivals(receiver, lengths.length);
    const letters = 'abcdefghij';
    lengths.forEach((length, index) => {
      const bytes = Buffer.alloc(length, letters.charAt(index));
      sender.send(bytes, port, '127.0.0.1', (error, sent) => log(index, error, sent));
    });
    log(await all);
    await close(sender, receiver);
  });
}

sameAsNodeDgram(t, 'peers that take turns', async ({ dgram, log }) => {
  const sender = await bound(dgram);
  const receivers = [await bound(dgram), await bound(dgram)] as const;
  const all = Promise.all(receivers.map((receiver) => arrivals(receiver, 6)));
  for (const [index, letter] of [...'aabbbabaabba'].entries()) {
    const receiver = receivers[letter === 'a' ? 0 : 1];
    const bytes = Buffer.alloc(50, 65 + index);
    sender.send(bytes, receiver.address().port, '127.0.0.1');
  }
  log(await all);
  await close(sender, ...receivers);
});

sameAsNodeDgram(t, 'an error in their midst', async ({ dgram, log }) => {
  const sender = await bound(dgram);
  const receiver = await bound(dgram);
  const { port } = receiver.address();
  const all = arrivals(receiver, 4);
  const lengths = [10, 10, 65_508, 10, 10];
  const results: Promise<void>[] = lengths.map(
    (length, index) =>
      new Promise((resolve) => {
        sender.send(Buffer.alloc(length, 97 + index), port, '127.0.0.1', (error, sent) => {
          // Ours says 0 with an error, Node's nothing.
          if (error === null) log(index, sent);
          else log(index, (error as NodeJS.ErrnoException).code);
          resolve();
        });
      }),
  );
  await Promise.all(results);
  log(await all);
  log(sender.getSendQueueCount(), sender.getSendQueueSize());
  await close(sender, receiver);
});

/** A network of its own in which loopback carries no more than Ethernet does. */
const inNarrowNetwork = ['--map-root-user', '--net', 'sh', '-c'];
const narrow = 'ip link set lo mtu 1500 && ip link set lo up';
const hasNarrow =
  process.platform === 'linux' &&
  spawnSync('unshare', [...inNarrowNetwork, narrow], { stdio: 'ignore' }).status === 0;

t.test(
  'longer than the network carries at once',
  {
    skip:
      (engine.backend === 'node' && 'it is about our core') ||
      (!hasNarrow && 'no network namespace can be made here'),
  },
  (test) => {
    const program = `
      const dgram = require(${JSON.stringify(entryFile('dgram'))});
      const receiver = dgram.createSocket('udp4');
      const sender = dgram.createSocket('udp4');
      const lengths = [2000, 2000, 2000, 1400, 1400, 1400, 3000, 3000];
      const seen = [];
      receiver.on('message', (bytes) => {
        if (seen.push(bytes.length) < lengths.length) return;
        console.log(seen.join());
        receiver.close();
        sender.close();
      });
      receiver.bind(0, '127.0.0.1', () => {
        sender.connect(receiver.address().port, '127.0.0.1', () => {
          for (const length of lengths) {
            sender.send(Buffer.alloc(length), (error) => {
              if (error) console.log(error.message);
            });
          }
        });
      });`;
    const ended = spawnSync(
      'unshare',
      [...inNarrowNetwork, `${narrow} && exec "$0" -e "$1"`, process.execPath, program],
      { encoding: 'utf8', timeout: 20_000 },
    );
    test.same(
      [ended.status, ended.stdout, ended.stderr],
      [0, '2000,2000,2000,1400,1400,1400,3000,3000\n', ''],
    );
    test.end();
  },
);

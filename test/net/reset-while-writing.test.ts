/** A peer that resets the connection while much is being written, and an `onread` that throws. */
import t from 'tap';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import { load, run } from '../support/child';
import { sameAsNode } from '../support/compare';
import { onWindows } from '../support/local';
import { closing, closeServer, connectedPair, quiet } from '../support/sockets';

const much = 16 << 20;

const ways: Record<string, (peer: nodeNet.Socket) => void> = {
  resets: (peer) => void peer.resetAndDestroy(),
  'reads a little, then resets': (peer) => {
    peer.resume().once('data', () => peer.resetAndDestroy());
  },
};

// Under Wine a reset is told of in another way (docs/windows.md), to node:net too.
const readers = [true, false].flatMap((flows) =>
  (['client', 'peer'] as const).map((side) => [side, flows] as const),
);
for (const [how, end] of onWindows ? [] : Object.entries(ways)) {
  for (const [side, flows] of readers) {
    const name = `the other side of the ${side}, which ${flows ? 'flows' : 'nobody reads'}, ${how}`;
    sameAsNode(t, name, async ({ net, log }) => {
      const pair = await connectedPair(net);
      const [socket, other] =
        side === 'client' ? [pair.client, pair.peer] : [pair.peer, pair.client];
      quiet(other).pause();
      const said = (error?: Error | null) => error && [error.message, { ...error }];
      socket.on('error', (error) => log('error', said(error)));
      socket.on('close', (hadError) => log('close', hadError));
      socket.on('end', () => log('end'));
      if (flows) socket.resume();
      socket.write(Buffer.alloc(much), (error) => log('first', said(error)));
      socket.write('more', (error) => log('second', said(error)));
      const closed = closing(socket);
      setTimeout(end, 30, other);
      await closed;
      await closeServer(pair.server);
    });
  }
}

/** Prints what an `onread` callback gets that throws once, into a buffer of this size. */
const throwing = (size: number): string => `
  const chunks = [];
  process.on('uncaughtException', ({ message }) => chunks.push(message));
  const server = net.createServer((socket) => socket.end('abcdefghijklmnopqrstuvwxyz'));
  server.listen(0, '127.0.0.1', () => {
    let isFirst = true;
    const socket = net.connect({
      port: server.address().port,
      onread: {
        buffer: Buffer.alloc(${size}),
        callback(length, buffer) {
          chunks.push(buffer.toString('latin1', 0, length));
          if (!isFirst) return true;
          isFirst = false;
          throw new Error('thrown');
        },
      },
    });
    socket.on('end', () => console.log(chunks.join(' ')));
    socket.on('close', () => server.close());
  });`;

for (const size of [4, 13, 64]) {
  t.test(`an onread callback that throws, ${size} bytes`, async (test) => {
    const expected = await run(`const net = require('node:net');\n${throwing(size)}`);
    const actual = await run(load('net') + throwing(size));
    test.strictSame(actual, expected);
    test.match(actual.stdout, 'thrown');
  });
}

sameAsNode(t, 'a reset that comes when nothing is written', async ({ net, log }) => {
  const { client, peer, server } = await connectedPair(net);
  client.resume();
  peer.resetAndDestroy();
  const [error] = (await once(client, 'error')) as [Error];
  log(error.message, { ...error });
  await closeServer(server);
});

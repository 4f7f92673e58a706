/** Bulk: received into memory that becomes the program's, once a chunk was filled. */
import t from 'tap';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { run } from '../support/child';
import { connectedPair, delay, pattern } from '../support/sockets';

const total = 24 << 20;
const whole = pattern(total);

function sendAll(socket: net.Socket): void {
  for (let at = 0; at < total; at += 1 << 20) socket.write(whole.subarray(at, at + (1 << 20)));
  socket.end();
}

t.test('reads are of 64 KiB at most, and most are made without a copy', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const before = engine.stats();
  const reads: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => {
    reads.push(chunk);
    if (reads.length % 10 !== 0) return;
    peer.pause();
    setTimeout(() => peer.resume(), 5);
  });
  sendAll(client);
  await once(peer, 'end');
  test.ok(Math.max(...reads.map(({ length }) => length)) <= 65_536);
  test.ok(Buffer.concat(reads).equals(whole));
  test.equal(peer.bytesRead, total);
  const after = engine.stats();
  test.equal(after.bytesReceived - before.bytesReceived, total);
  const pinned = after.pinnedReceives - before.pinnedReceives;
  test.ok(pinned > total / 65_536 / 2, `${pinned} receives into memory of the program's`);
  await close();
});

t.test('who sends little again is served with chunks again', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  peer.on('data', () => {});
  for (let at = 0; at < total; at += 1 << 20) client.write(whole.subarray(at, at + (1 << 20)));
  while (peer.bytesRead < total) await delay(1);
  for (let i = 0; i < 10; i++) {
    client.write('little');
    while (peer.bytesRead < client.bytesWritten) await delay(1);
  }
  const { pinnedReceives } = engine.stats();
  for (let i = 0; i < 10; i++) {
    client.write('little');
    while (peer.bytesRead < client.bytesWritten) await delay(1);
  }
  test.equal(engine.stats().pinnedReceives, pinnedReceives);
  await close();
});

t.test('many connections in bulk at once, some of which pause', async (test) => {
  const pairs = await Promise.all(Array.from({ length: 100 }, () => connectedPair(net)));
  const size = 1 << 20;
  const received = pairs.map(async ({ peer }, index) => {
    const reads: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => {
      reads.push(chunk);
      if ((reads.length + index) % 7 !== 0) return;
      peer.pause();
      setImmediate(() => peer.resume());
    });
    await once(peer, 'end');
    return Buffer.concat(reads).equals(pattern(size));
  });
  for (const { client } of pairs) client.end(pattern(size));
  test.ok((await Promise.all(received)).every((isRight) => isRight));
  await Promise.all(pairs.map(({ close }) => close()));
});

t.test('a paused socket is as it was when it resumes, also at its end', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  sendAll(client);
  const reads: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => reads.push(chunk));
  while (peer.bytesRead < total / 2) await delay(1);
  peer.pause();
  const paused = peer.bytesRead;
  await delay(50);
  // Some that do not fill the stream's buffer of 64 KiB, one that does, and what was asked for
  // before that said so.
  test.ok(peer.bytesRead - paused <= 6 * 65_536, 'and takes no more than its credit');
  peer.resume();
  await once(peer, 'end');
  test.ok(Buffer.concat(reads).equals(whole));
  await close();
});

t.test('reading that is stopped and started within a read goes on', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const { _handle: handle } = peer as unknown as {
    _handle: { readStop(): number; readStart(): number };
  };
  sendAll(client);
  const reads: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => {
    reads.push(chunk);
    handle.readStop();
    handle.readStart();
  });
  await once(peer, 'end');
  test.ok(Buffer.concat(reads).equals(whole));
  await close();
});

t.test('a reset in the middle is an error', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  peer.on('data', () => {
    if (peer.bytesRead > total / 4) client.resetAndDestroy();
  });
  client.on('error', () => {});
  sendAll(client);
  const [error] = (await once(peer, 'error')) as [NodeJS.ErrnoException];
  test.equal(error.code, 'ECONNRESET');
  await close();
});

t.test('each read has its own tick', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  sendAll(client);
  let at = 0;
  while (at < total) {
    const [chunk] = (await once(peer, 'data')) as [Buffer];
    if (!chunk.equals(whole.subarray(at, at + chunk.length))) test.fail(`wrong after ${at}`);
    at += chunk.length;
  }
  test.equal(at, total);
  await close();
});

t.test('a socket that is destroyed in the middle reads no more', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  let after = 0;
  peer.on('data', () => {
    if (peer.destroyed) after++;
    else if (peer.bytesRead > total / 4) peer.destroy();
  });
  client.on('error', () => {});
  sendAll(client);
  await once(peer, 'close');
  await delay(20);
  test.equal(after, 0);
  await close();
});

const thrower = `
  const net = require('iocp-net');
  const whole = Buffer.alloc(${total}, 'iocp');
  let thrown = 0;
  let bytes = 0;
  process.on('uncaughtException', () => thrown++);
  const server = net.createServer((socket) => {
    let reads = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (++reads % 7 === 0) throw new Error('in a listener');
    });
    socket.on('end', () => {
      console.log(bytes === whole.length, thrown > 5);
      socket.destroy();
      server.close();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    net.connect(server.address().port, '127.0.0.1').on('error', () => {}).end(whole);
  });
`;

t.test('what a listener throws costs no other read', async (test) => {
  const { code, stdout } = await run(thrower, 30_000);
  test.strictSame([code, stdout.trim()], [0, 'true true']);
});

const withoutTicks = `
  process._tickCallback = undefined;
  const net = require('iocp-net');
  const whole = Buffer.alloc(${total}, 'iocp');
  const server = net.createServer(async (socket) => {
    const reads = [];
    for await (const chunk of socket) reads.push(chunk);
    console.log(Buffer.concat(reads).equals(whole));
    server.close();
  });
  server.listen(0, '127.0.0.1', () => {
    net.connect(server.address().port, '127.0.0.1').end(whole);
  });
`;

t.test('a Node whose ticks cannot be run between reads gets one at a time', async (test) => {
  const { code, stdout } = await run(withoutTicks, 30_000);
  test.strictSame([code, stdout.trim()], [0, 'true']);
});

/** write() says true as long as the system takes the bytes, and what it did say true to is sent. */
import t from 'tap';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import { closeServer, listen } from '../support/sockets';
import type { Net } from '../support/sockets';
import { playWriter } from '../support/write-peer';

for (const [count, size] of [
  [200, 100],
  [1000, 64],
  [64, 1024],
  [3, 12_000],
]) {
  sameAsNode(t, `${count} writes of ${size} bytes in a turn, to a peer that reads`, ({ net }) =>
    playWriter(net, `said ${count} ${size}`),
  );
}

const frames = 300;

/** Counts the frames, and those whose bytes are not the ones that their number asks for. */
function frameCounter(size: number): { take: (chunk: Buffer) => void; seen: number; bad: number } {
  let rest = Buffer.alloc(0);
  const counter = { take, seen: 0, bad: 0 };
  function take(chunk: Buffer): void {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= size + 4) {
      const body = rest.subarray(4, size + 4);
      counter.seen++;
      if (!body.equals(Buffer.alloc(size, rest.readUInt32BE() & 255))) counter.bad++;
      rest = rest.subarray(size + 4);
    }
  }
  return counter;
}

/** Sends all frames from one buffer, filled anew whenever write() has said true. */
async function sendFrames(socket: nodeNet.Socket, size: number): Promise<void> {
  const body = Buffer.alloc(size);
  for (let frame = 0; frame < frames; frame++) {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(frame);
    body.fill(frame & 255);
    const headerTaken = socket.write(header);
    const bodyTaken = socket.write(body);
    if (!headerTaken || !bodyTaken) await once(socket, 'drain');
    else if (frame % 3 === 2) await new Promise(setImmediate);
  }
}

async function framesFromOneBuffer(net: Net, size: number): Promise<unknown> {
  const counter = frameCounter(size);
  const server = nodeNet.createServer((peer) => {
    peer.on('error', () => {}).on('data', counter.take);
  });
  const port = await listen(server);
  // Above the size of a frame: write() would say false to each.
  const room = { highWaterMark: 65_536 };
  const socket = net.connect({ port, host: '127.0.0.1', ...room });
  socket.resume();
  await once(socket, 'connect');
  await sendFrames(socket, size);
  socket.end();
  await once(socket, 'close');
  await closeServer(server);
  return { seen: counter.seen, bad: counter.bad };
}

// With more under way at once node:net, too, would have some of it in memory only.
for (const size of [2000, 8000, 20_000]) {
  sameAsNode(t, `a buffer of ${size} bytes that is filled anew once write() said true`, ({ net }) =>
    framesFromOneBuffer(net, size),
  );
}

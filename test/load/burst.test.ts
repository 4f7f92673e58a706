/**
 * `await once(socket, 'data')` in a loop, against a peer that sends in bursts, never misses a
 * chunk; and a listener that throws costs nobody else a byte.
 *
 * A listener attached by a promise is there only if ticks and microtasks have run between two
 * chunks, also where several lie in one batch of completions.
 */
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import type { Socket } from 'node:net';
import { Random } from './random';
import { check, program } from './report';
import { loadNet, netName, runs, seed, sized } from './settings';
import { closeServer, eventOrClose, listen, LOOPBACK, pause, until } from './sockets';
import { bytesAt, firstWrongByte } from './stream-bytes';

const ROUNDS = runs(sized({ full: 60, quick: 8, wine: 10, wineQuick: 2 }));
const PAIRS = sized({ full: 32, quick: 16, wine: 8, wineQuick: 4 });
const THROWERS = sized({ full: 64, quick: 24, wine: 16, wineQuick: 8 });
const THROWER_BYTES = sized({ full: 4, quick: 1, wine: 0.5, wineQuick: 0.25 }) * 1024 * 1024;

const net = loadNet(netName);

/** How the bytes of a round come: all at once, or in pieces with the loop turning in between. */
interface Burst {
  start: number;
  messages: number[];
  turnsBetween: number;
  waitsFirst: boolean;
}

function burstOf(random: Random): Burst {
  // Many small messages fit one chunk; the large make a burst of several chunks.
  const small = random.chance(0.5);
  const count = random.integer(20, small ? 200 : 60);
  return {
    start: random.integer(0, 1_000_000),
    messages: Array.from({ length: count }, () =>
      small ? random.integer(1, 100) : random.magnitude(1, 16 * 1024),
    ),
    turnsBetween: random.pick([
      [0, 3],
      [1, 2],
      [3, 1],
    ]),
    waitsFirst: random.chance(0.5),
  };
}

async function sendBurst(socket: Socket, burst: Burst): Promise<void> {
  socket.setNoDelay(true);
  if (burst.waitsFirst) await pause(5);
  let at = 0;
  for (const size of burst.messages) {
    socket.write(bytesAt(burst.start, at, size));
    at += size;
    for (let turn = 0; turn < burst.turnsBetween; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  socket.end();
}

async function readOneByOne(socket: Socket, burst: Burst): Promise<number> {
  const total = burst.messages.reduce((sum, size) => sum + size, 0);
  const ended = new AbortController();
  socket.once('end', () => ended.abort());
  let bytes = 0;
  let chunks = 0;
  while (bytes < total) {
    let chunk: Buffer;
    try {
      [chunk] = (await once(socket, 'data', { signal: ended.signal })) as [Buffer];
    } catch (error) {
      const { bytesRead } = socket;
      const seen = `${bytes} of ${total} bytes seen, ${bytesRead} read, ${chunks} chunks`;
      throw new Error(`${seen}, ${JSON.stringify({ ...burst, messages: burst.messages.length })}`, {
        cause: error,
      });
    }
    const wrong = firstWrongByte(burst.start, bytes, chunk);
    if (wrong >= 0) throw new Error(`after ${bytes} bytes: wrong byte at ${wrong}`);
    bytes += chunk.length;
    chunks++;
  }
  return chunks;
}

/** The reader is ours: accepted, or connecting. The sender is node:net's. */
async function burstRound(random: Random, readerAccepts: boolean): Promise<number> {
  const readings: Promise<number>[] = [];
  const sendings: Promise<void>[] = [];
  let burst = burstOf(random);
  const begin = (socket: Socket, reads: boolean): void => {
    socket.on('error', () => {});
    if (reads) {
      const reading = readOneByOne(socket, burst);
      reading.catch(() => {}); // told when all have been awaited
      readings.push(reading);
    } else sendings.push(sendBurst(socket, burst));
  };
  const [serving, connecting] = readerAccepts ? [net, nodeNet] : [nodeNet, net];
  const server = serving.createServer((socket) => begin(socket, readerAccepts));
  const port = await listen(server);
  const sockets: Socket[] = [];
  while (sockets.length < PAIRS) {
    // One after the other, so that both sides have the same burst; the bursts overlap.
    burst = burstOf(random);
    const socket = connecting.connect({ port, host: LOOPBACK });
    sockets.push(socket);
    socket.once('connect', () => begin(socket, !readerAccepts));
    const begun = (): boolean => readings.length + sendings.length === 2 * sockets.length;
    if (!(await until(begun, 5000))) throw new Error(`connection ${sockets.length} was not made`);
  }
  const chunks = await Promise.all(readings);
  await Promise.all(sendings);
  for (const socket of sockets) socket.destroy();
  await closeServer(server);
  return chunks.reduce((sum, each) => sum + each, 0);
}

class Thrown extends Error {}

/** Streams to many sockets whose listeners throw now and then. */
async function throwRound(random: Random): Promise<string> {
  let thrown = 0;
  let caught = 0;
  const strangers: unknown[] = [];
  const onUncaught = (error: unknown): void => {
    if (error instanceof Thrown) caught++;
    else strangers.push(error);
  };
  process.on('uncaughtException', onUncaught);
  const received = new Map<Socket, number>();
  const faults: string[] = [];
  let ended = 0;
  const server = net.createServer((socket) => {
    received.set(socket, 0);
    socket.on('data', (chunk: Buffer) => {
      const at = received.get(socket) ?? 0;
      const wrong = firstWrongByte(0, at, chunk);
      if (wrong >= 0) faults.push(`wrong byte at ${wrong}`);
      received.set(socket, at + chunk.length);
      if (!random.chance(0.1)) return;
      thrown++;
      throw new Thrown();
    });
    socket.on('end', () => ended++);
    socket.on('error', (error) => faults.push(error.message));
  });
  const port = await listen(server);
  const senders = Array.from({ length: THROWERS }, async () => {
    const socket = nodeNet.connect({ port, host: LOOPBACK });
    socket.on('error', (error) => faults.push(`sender: ${error.message}`));
    for (let at = 0; at < THROWER_BYTES;) {
      const size = Math.min(random.magnitude(100, 64 * 1024), THROWER_BYTES - at);
      if (!socket.write(bytesAt(0, at, size))) await eventOrClose(socket, 'drain');
      at += size;
    }
    socket.end();
  });
  await Promise.all(senders);
  await until(() => ended === THROWERS, 20_000);
  await closeServer(server);
  process.off('uncaughtException', onUncaught);
  for (const bytes of received.values()) {
    if (bytes !== THROWER_BYTES) faults.push(`${bytes} of ${THROWER_BYTES} received`);
  }
  if (received.size !== THROWERS) faults.push(`${received.size} of ${THROWERS} served`);
  if (ended !== THROWERS) faults.push(`${ended} of ${THROWERS} ended`);
  if (caught !== thrown) faults.push(`${thrown} thrown, ${caught} caught`);
  if (strangers.length > 0) faults.push(`also uncaught: ${String(strangers[0])}`);
  if (faults.length > 0) throw new Error(faults.slice(0, 10).join('\n'));
  return `${thrown} thrown and caught`;
}

program('bursts', async () => {
  for (const accepts of [true, false]) {
    const side = accepts ? 'accepted' : 'connecting';
    await check(`once('data') in a loop misses nothing, ${side} socket`, 120, async () => {
      let chunks = 0;
      for (let round = 0; round < ROUNDS; round++) {
        chunks += await burstRound(new Random(seed, round, accepts ? 1 : 2), accepts);
      }
      return `${ROUNDS * PAIRS} bursts in ${chunks} chunks`;
    });
  }
  await check('a listener that throws costs nobody else a byte', 60, () =>
    throwRound(new Random(seed, 3)),
  );
});

/** Heart-beats: with peers that answer, that are busy, and that say nothing any more. */
import t from 'tap';
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import * as net from 'iocp-net';
import { commandFrames, commandHeartbeat, framed } from 'iocp-net/framing';
import type { CommandFrame } from 'iocp-net/framing';
import { load, run } from '../support/child';
import { connectedPair, delay, quiet } from '../support/sockets';

const codec = commandFrames();
const PING = 2 ** 32 - 2;
const PONG = 2 ** 32 - 1;

// The timers under test hold no process.
const holding = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(holding));

interface Peer {
  /** What the side under test has sent, by type, and when. */
  types: number[];
  at: number[];
  say(commandType: number, payload?: string): void;
}

/** One side of a connection in memory with heart-beats, and what the other sees. */
function connection(interval: number, timeout: number): { near: Duplex; peer: Peer } {
  const types: number[] = [];
  const at: number[] = [];
  const decoder = codec.decoder();
  const below = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, callback) => {
      for (const { commandType } of decoder.push(chunk)) {
        types.push(commandType);
        at.push(performance.now());
      }
      callback();
    },
  });
  const near = framed(below, codec, { heartbeat: commandHeartbeat({ interval, timeout }) });
  const say = (commandType: number, payload = ''): void =>
    void below.push(codec.encode({ commandType, payload }));
  return { near, peer: { types, at, say } };
}

t.test('a peer that says nothing is asked, and then given up', async (test) => {
  const begun = performance.now();
  const { near, peer } = connection(40, 140);
  near.resume();
  const [error] = (await once(near, 'error')) as [Error];
  test.match(error, { code: 'ERR_HEARTBEAT_TIMEOUT', timeout: 140 });
  test.ok(performance.now() - begun >= 138, 'not before its time');
  test.ok(peer.types.length >= 1 && peer.types.every((type) => type === PING));
  test.ok(near.destroyed);
});

t.test('a peer that answers is kept, and its answers are not delivered', async (test) => {
  const { near, peer } = connection(20, 60);
  near.on('data', () => test.fail('delivered'));
  const answering = setInterval(() => {
    if (peer.types.length > 0) peer.say(PONG);
    peer.types.length = 0;
  }, 2);
  await delay(200);
  clearInterval(answering);
  test.notOk(near.destroyed);
  near.destroy();
});

t.test('a busy connection sends no ping', async (test) => {
  const { near, peer } = connection(200, 600);
  let received = 0;
  near.on('data', () => received++);
  const talking = setInterval(() => peer.say(1), 10);
  await delay(700);
  clearInterval(talking);
  test.same(peer.types, []);
  test.ok(received > 5);
  near.destroy();
});

t.test('a ping is answered with its payload, and not delivered', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const near = quiet(framed(client, codec, { heartbeat: commandHeartbeat() }));
  near.on('data', () => test.fail('delivered'));
  const far = quiet(framed(peer, codec));
  far.send({ commandType: PING, payload: 'when' });
  const [pong] = (await once(far, 'data')) as [CommandFrame];
  test.same(pong, { commandType: PONG, payload: Buffer.from('when') });
  await close();
});

t.test('who asks much and reads nothing gets one answer', async (test) => {
  const held: (() => void)[] = [];
  const written: Buffer[] = [];
  const below = new Duplex({
    highWaterMark: 5,
    read: () => {},
    write: (chunk: Buffer, _encoding, callback) => {
      written.push(chunk);
      held.push(callback);
    },
  });
  framed(below, codec, { heartbeat: commandHeartbeat(), onFrame: () => {} });
  for (const payload of ['1', '2', '3', '4']) {
    below.push(codec.encode({ commandType: PING, payload }));
  }
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  test.ok(below.writableLength < 25, `${below.writableLength} bytes wait`);
  while (held.length > 0) {
    held.shift()?.();
    await new Promise(setImmediate);
  }
  const pongs = codec.decoder().push(Buffer.concat(written));
  test.same(
    pongs.map(({ payload }) => String(payload)),
    ['1', '4'],
  );
});

t.test('silence is not held against a peer that is not listened to', async (test) => {
  const { near, peer } = connection(15, 45);
  for (let count = 0; count < 100; count++) peer.say(1);
  // Nobody reads: the stream below is paused.
  await delay(150);
  test.notOk(near.destroyed);
  test.same(peer.types, []);
  near.destroy();
});

function beAway(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

t.test('a process that was away asks before it gives up', async (test) => {
  const { near, peer } = connection(30, 90);
  near.resume();
  beAway(200);
  while (peer.types.length === 0 && !near.destroyed) await delay(1);
  peer.say(PONG);
  await new Promise(setImmediate);
  test.same(peer.types, [PING]);
  test.notOk(near.destroyed);
  near.destroy();
});

t.test('an answer that came while the process was away is seen in time', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const heartbeat = commandHeartbeat({ interval: 30, timeout: 90 });
  const near = quiet(framed(client, codec, { heartbeat, onFrame: () => {} }));
  const answered = new Promise<void>((resolve) => {
    const onFrame = ({ commandType }: CommandFrame): void => {
      test.equal(commandType, PING);
      far.send({ commandType: PONG });
      // The timer is due before the answer is read.
      beAway(200);
      resolve();
    };
    const far = quiet(framed(peer, codec, { onFrame }));
  });
  await answered;
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  test.notOk(near.destroyed);
  await close();
});

t.test('frames that cannot be made destroy the connection', async (test) => {
  const near = framed(new PassThrough(), codec, {
    heartbeat: { ...commandHeartbeat({ interval: 5 }), ping: () => ({ commandType: -1 }) },
    onFrame: () => {},
  });
  const [error] = (await once(near, 'error')) as [Error];
  test.match(error, { code: 'ERR_OUT_OF_RANGE' });
});

t.test('heart-beats do not hold the process', async (test) => {
  const { code, signal } = await run(`
    ${load('framing')}
    const { framed, commandFrames, commandHeartbeat } = framing;
    const stream = new (require('node:stream').PassThrough)();
    framed(stream, commandFrames(), { heartbeat: commandHeartbeat({ interval: 60_000 }) }).resume();
  `);
  test.equal(signal, null);
  test.equal(code, 0);
});

t.test('options that are refused', async (test) => {
  const make = (heartbeat: object) => () =>
    framed(new PassThrough(), codec, { heartbeat: { ...commandHeartbeat(), ...heartbeat } });
  test.throws(make({ interval: 0 }), { code: 'ERR_OUT_OF_RANGE' });
  test.throws(make({ interval: '1' }), { code: 'ERR_INVALID_ARG_TYPE' });
  test.throws(make({ interval: 10, timeout: 10 }), { code: 'ERR_INVALID_ARG_VALUE' });
  test.throws(make({ ping: undefined }), { code: 'ERR_INVALID_ARG_TYPE' });
  test.throws(() => commandHeartbeat({ pingType: -1 }), { code: 'ERR_OUT_OF_RANGE' });
});

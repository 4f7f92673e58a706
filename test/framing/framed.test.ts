/** Frames over streams: backpressure, ends, errors. On sockets of ours, and on streams in memory. */
import t from 'tap';
import { once } from 'node:events';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import * as net from 'iocp-net';
import * as nodeNet from 'node:net';
import { commandFrames, delimited, framed, lengthPrefixed } from 'iocp-net/framing';
import type { FramedOptions, Framed } from 'iocp-net/framing';
import { closing, connectedPair, pattern, quiet } from '../support/sockets';
import type { Net, Pair } from '../support/sockets';

const codec = lengthPrefixed({ maxPayloadBytes: 8 * 1024 * 1024 });
type Options = FramedOptions<Buffer, Uint8Array | string>;

async function framedPair(
  network: Net,
  client: Options = {},
  peer: Options = {},
): Promise<Pair & { near: Framed<Buffer, string | Uint8Array>; far: typeof near }> {
  const pair = await connectedPair(network);
  // The pair is closed under them.
  const near = quiet(framed(pair.client, codec, client));
  const far = quiet(framed(pair.peer, codec, peer));
  return { ...pair, near, far };
}

/** The error that a stream is destroyed with. */
const failure = async (stream: Duplex): Promise<NodeJS.ErrnoException> =>
  (await once(stream, 'error'))[0] as NodeJS.ErrnoException;

for (const [name, network] of [
  ['iocp-net', net],
  ['node:net', nodeNet],
] as const) {
  t.test(`${name}: frames of all sizes, there and back`, async (test) => {
    const { near, close } = await framedPair(
      network,
      {},
      {
        onFrame: (frame, connection) => void connection.send(frame),
      },
    );
    const sizes = [0, 1, 100, 4095, 4096, 70_000, 1_000_000];
    for (const size of sizes) near.send(pattern(size));
    const received: Buffer[] = [];
    for await (const frame of near) {
      received.push(frame);
      if (received.length === sizes.length) break;
    }
    test.same(
      received.map(({ length }) => length),
      sizes,
    );
    test.ok(received.every((frame) => frame.equals(pattern(frame.length))));
    test.ok(near.destroyed, 'who leaves the loop has closed the connection');
    await close();
  });

  t.test(`${name}: who does not read is noticed, and nothing is lost`, async (test) => {
    const { near, far, client, close } = await framedPair(network);
    const frame = pattern(100_000);
    let sent = 1;
    while (near.send(frame) && sent < 1000) sent++;
    test.ok(sent < 1000, 'send() answers false');
    test.ok(client.writableNeedDrain);
    test.ok(near.writableNeedDrain);
    const drained = once(near, 'drain');
    near.end();
    let received = 0;
    for await (const each of far) {
      test.ok(each.equals(frame) || test.fail('another frame'));
      received++;
    }
    test.equal(received, sent);
    await Promise.race([drained, finished(near, { readable: false })]);
    await close();
  });

  t.test(`${name}: an end within a frame`, async (test) => {
    const { far, client, close } = await framedPair(network);
    client.write(Buffer.from([0, 0, 0, 9, 1, 2]));
    client.end();
    const reading = (async () => {
      for await (const frame of far) test.fail(String(frame));
    })();
    await test.rejects(reading, { code: 'ERR_FRAME_TRUNCATED', received: 6 });
    await close();
  });

  t.test(`${name}: the connection is reset`, async (test) => {
    const { far, client, close } = await framedPair(network);
    far.resume();
    const failed = failure(far);
    client.resetAndDestroy();
    test.equal((await failed).code, 'ECONNRESET');
    await close();
  });
}

t.test('a frame that is too long destroys the socket', async (test) => {
  const { far, client, peer, close } = await framedPair(net);
  far.resume();
  const failed = failure(far);
  client.write(Buffer.from([0xff, 0, 0, 0]));
  test.match(await failed, { code: 'ERR_FRAME_TOO_LARGE', announced: 0xff000000 });
  test.ok(peer.destroyed);
  await close();
});

/** A stream that takes bytes only when it is told to. */
class Slow extends Duplex {
  readonly written: Buffer[] = [];
  #callback: (() => void) | null = null;

  constructor() {
    super({ highWaterMark: 100 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: unknown, callback: () => void): void {
    this.written.push(chunk);
    this.#callback = callback;
  }

  async go(): Promise<void> {
    while (this.#callback !== null) {
      const callback = this.#callback;
      this.#callback = null;
      callback();
      await new Promise(setImmediate);
    }
  }
}

t.test('send() answers what the stream below does, and drain comes with its own', async (test) => {
  const below = new Slow();
  const near = framed(below, codec);
  test.ok(near.send('x'.repeat(50)));
  test.notOk(near.send('x'.repeat(50)));
  test.ok(near.writableNeedDrain);
  let drains = 0;
  near.on('drain', () => drains++);
  await new Promise(setImmediate);
  test.equal(drains, 0);
  await below.go();
  test.equal(drains, 1);
  test.notOk(near.writableNeedDrain);
});

t.test('write() waits for the stream below, and send() behind it keeps the order', async (test) => {
  const below = new Slow();
  const lines = framed(below, delimited());
  const written: string[] = [];
  lines.write('a'.repeat(200), () => written.push('a'));
  lines.write('b', () => written.push('b'));
  lines.send('c');
  await new Promise(setImmediate);
  test.same(written, []);
  await below.go();
  await below.go();
  test.same(written, ['a', 'b']);
  test.equal(Buffer.concat(below.written).toString(), `${'a'.repeat(200)}\nb\nc\n`);
});

t.test('what is written and waits is told when the connection goes', async (test) => {
  const below = new Slow();
  const near = framed(below, codec);
  const told = new Promise<Error | null | undefined>((resolve) =>
    near.write('x'.repeat(200), resolve),
  );
  near.on('error', () => {});
  near.destroy(new Error('gone'));
  test.match(await told, { message: 'gone' });
  test.ok(below.destroyed);
});

t.test('who is slow to read stops the stream below', async (test) => {
  const below = new PassThrough();
  const near = framed(below, codec, { highWaterMark: 2 });
  const frame = codec.encode('frame');
  for (let count = 0; count < 100; count++) below.write(frame);
  await new Promise(setImmediate);
  test.ok(below.isPaused());
  test.ok(near.readableLength < 100);
  below.end();
  let received = 0;
  for await (const each of near) received += Number(each.toString() === 'frame');
  test.equal(received, 100);
});

t.test('the end of an iteration leaves what was sent to go out', async (test) => {
  const below = new Slow();
  const near = framed(below, codec);
  below.push(null);
  near.send('x'.repeat(500));
  for await (const frame of near) test.fail(String(frame));
  test.notOk(near.destroyed);
  const over = finished(near);
  near.end();
  await below.go();
  await over;
  test.equal(Buffer.concat(below.written).length, 504);
});

t.test('a bad frame is an error of who sends it, and the connection goes on', async (test) => {
  const below = new PassThrough();
  const near = framed(below, commandFrames());
  test.throws(() => near.send({ commandType: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  near.send({ commandType: 1, payload: 'x' });
  const [frame] = (await once(near, 'data')) as [unknown];
  test.same(frame, { commandType: 1, payload: Buffer.from('x') });
  // As with any stream in object mode.
  const failed = failure(near);
  near.write({ commandType: -1 });
  test.equal((await failed).code, 'ERR_OUT_OF_RANGE');
});

t.test('what onFrame throws destroys the connection', async (test) => {
  const below = new PassThrough();
  const thrown = new Error('of the program');
  const near = framed(below, codec, {
    onFrame: () => {
      throw thrown;
    },
  });
  const failed = failure(near);
  below.write(codec.encode('a'));
  test.equal(await failed, thrown);
  test.ok(below.destroyed);
});

t.test('onFrame is called with nothing after destroy()', async (test) => {
  const below = new PassThrough();
  const seen: string[] = [];
  framed(below, codec, {
    onFrame: (frame, connection) => {
      seen.push(String(frame));
      connection.destroy();
    },
  });
  below.write(Buffer.concat([codec.encode('a'), codec.encode('b')]));
  await once(below, 'close');
  test.same(seen, ['a']);
});

t.test('with onFrame the end is told, too', async (test) => {
  const below = new PassThrough();
  const seen: string[] = [];
  const near = framed(below, codec, { onFrame: (frame) => void seen.push(String(frame)) });
  below.end(codec.encode('a'));
  await once(near, 'end');
  test.same(seen, ['a']);
});

t.test('a signal', async (test) => {
  const below = new PassThrough();
  const controller = new AbortController();
  const near = framed(below, codec, { signal: controller.signal });
  const failed = failure(near);
  controller.abort();
  test.equal((await failed).name, 'AbortError');
  test.ok(below.destroyed);
  const late = framed(new PassThrough(), codec, { signal: AbortSignal.abort() });
  test.equal((await failure(late)).name, 'AbortError');
});

t.test('a stream that only reads', async (test) => {
  const parts = [codec.encode('a'), codec.encode('bc')];
  const near = framed(Readable.from(parts, { objectMode: false }), codec);
  const received: string[] = [];
  for await (const frame of near) received.push(String(frame));
  test.same(received, ['a', 'bc']);
  test.notOk(near.writable);
});

t.test('streams that are over already', async (test) => {
  const broken = new PassThrough();
  broken.on('error', () => {});
  broken.destroy(new Error('before'));
  await closing(broken);
  test.match(await failure(framed(broken, codec)), { message: 'before' });

  const gone = new PassThrough();
  gone.destroy();
  test.equal((await failure(framed(gone, codec))).code, 'ERR_STREAM_PREMATURE_CLOSE');

  const ended = new PassThrough();
  ended.end();
  await finished(ended.resume());
  const late = framed(ended, codec);
  for await (const frame of late) test.fail(String(frame));
});

t.test('a stream that is closed before its end', async (test) => {
  const below = new PassThrough();
  const near = framed(below, codec);
  const failed = failure(near);
  below.destroy();
  test.equal((await failed).code, 'ERR_STREAM_PREMATURE_CLOSE');
  const cut = new PassThrough();
  const within = framed(cut, codec).resume();
  const truncated = failure(within);
  cut.write(Buffer.from([0, 0, 0, 5, 1]));
  await new Promise(setImmediate);
  cut.destroy();
  test.match(await truncated, { code: 'ERR_FRAME_TRUNCATED', received: 5 });
});

t.test('what is no stream, and bad options', async (test) => {
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  test.throws(() => framed(null as never, codec), type);
  test.throws(() => framed({} as never, codec), type);
  test.throws(() => framed(new PassThrough(), codec, { onFrame: 1 } as never), type);
  test.throws(() => framed(new PassThrough(), codec, { signal: 1 } as never), type);
});

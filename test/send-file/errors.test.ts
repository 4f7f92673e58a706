import t from 'tap';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import * as net from 'iocp-net';
import type { FileSource, SendFileOptions } from 'iocp-net';
import { sendFile } from 'iocp-net/promises';
import { core } from '#dist/net/core.js';
import { load } from '../support/child';
import { kinds, temporaryFile } from '../support/files';
import type { Ends } from '../support/files';
import { closing, connectedPair, pattern, readAll, receive } from '../support/sockets';

interface SendFileError extends NodeJS.ErrnoException {
  bytesSent: number;
}

async function failure(sent: Promise<number>): Promise<SendFileError> {
  try {
    await sent;
  } catch (error) {
    return error as SendFileError;
  }
  throw new Error('it was sent');
}

const FIRST_PIECE = 256 * 1024;

interface Sending {
  /** The system has taken something. */
  begun: Promise<void>;
  result: Promise<SendFileError>;
}

/** The peer is to read a little: a first piece may be more than the system's buffer holds. */
function sending(
  { from, to }: Pick<Ends, 'from' | 'to'>,
  file: FileSource,
  options: SendFileOptions = {},
): Sending {
  let read = 0;
  const pause = (chunk: Buffer): void => {
    read += chunk.length;
    if (read >= FIRST_PIECE) to.pause();
  };
  to.on('data', pause);
  let go: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => (go = resolve));
  const result = failure(sendFile(from, file, { ...options, onProgress: () => go?.() }));
  void begun.then(() => to.off('data', pause));
  return { begun, result };
}

const onWindows = process.platform === 'win32';

t.test('wrong arguments', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  const path = temporaryFile(test, Buffer.from('0123456789'));
  const wrong: [string, unknown, unknown?][] = [
    ['ERR_INVALID_ARG_TYPE', undefined],
    ['ERR_INVALID_ARG_TYPE', {}],
    ['ERR_INVALID_ARG_TYPE', path, null],
    ['ERR_INVALID_ARG_TYPE', path, 'end'],
    ['ERR_INVALID_ARG_TYPE', path, { start: '1' }],
    ['ERR_INVALID_ARG_TYPE', path, { head: 1 }],
    ['ERR_INVALID_ARG_TYPE', path, { tail: [] }],
    ['ERR_INVALID_ARG_TYPE', path, { signal: {} }],
    ['ERR_INVALID_ARG_TYPE', path, { onProgress: 1 }],
    ['ERR_OUT_OF_RANGE', -1],
    ['ERR_OUT_OF_RANGE', 2 ** 31],
    ['ERR_OUT_OF_RANGE', path, { start: -1 }],
    ['ERR_OUT_OF_RANGE', path, { start: 1.5 }],
    ['ERR_OUT_OF_RANGE', path, { end: Infinity }],
    ['ERR_OUT_OF_RANGE', path, { start: 5, end: 4 }],
    ['ERR_OUT_OF_RANGE', path, { start: 11 }],
    ['ERR_IOCP_NET_FILE_ENDED', path, { end: 10 }],
    ['ERR_INVALID_ARG_VALUE', tmpdir()],
    ['ENOENT', `${path}-absent`],
    ['EBADF', 2 ** 20],
  ];
  for (const [code, file, options] of wrong) {
    const error = await failure(from.sendFile(file as FileSource, options as SendFileOptions));
    // What opening a folder says is the system's.
    const isFolder = onWindows && code === 'ERR_INVALID_ARG_VALUE';
    const wanted = isFolder ? /^(EISDIR|EPERM|EACCES|ERR_INVALID_ARG_VALUE)$/ : code;
    test.match(error.code, wanted, `${String(file)} ${JSON.stringify(options)}`);
  }
  test.throws(() => from.sendFile(1.5, () => {}), { code: 'ERR_OUT_OF_RANGE' });
  const received = receive(client, 10);
  test.equal(await from.sendFile(path), 10, 'nothing of it has hurt the connection');
  test.equal(String(await received), '0123456789');
  await close();
});

for (const [kind, connect] of Object.entries(kinds)) {
  t.test(`${kind}: a file that becomes shorter`, async (test) => {
    const { from, to, close } = await connect();
    const errors: Error[] = [];
    from.on('error', (error) => errors.push(error));
    const size = 32 << 20;
    const path = temporaryFile(test, pattern(size));
    const { begun, result } = sending({ from, to }, path);
    await begun;
    fs.truncateSync(path, 1000);
    let received = 0;
    to.on('data', (chunk: Buffer) => (received += chunk.length));
    to.on('error', () => {}).resume();
    const error = await result;
    test.equal(error.code, 'ERR_IOCP_NET_FILE_ENDED');
    test.ok(error.bytesSent >= 1000 && error.bytesSent < size, `${error.bytesSent} sent`);
    await closing(to);
    test.ok(received <= error.bytesSent, `${received} received`);
    test.ok(from.destroyed);
    test.strictSame(errors, [], 'the caller knows it');
    await close();
  });

  t.test(`${kind}: given up while it is sent`, async (test) => {
    const { from, to, close } = await connect();
    const path = temporaryFile(test, pattern(32 << 20));
    const controller = new AbortController();
    const { begun, result } = sending({ from, to }, path, { signal: controller.signal });
    const behind = new Promise((resolve) => from.write('behind', resolve));
    await begun;
    const reason = new Error('enough');
    controller.abort(reason);
    to.on('error', () => {});
    // Wine can lose the cancel of a send that has just got room; with a reader that ends by itself.
    if (onWindows) to.resume();
    const error = await result;
    test.equal(error.name, 'AbortError');
    test.equal(error.code, 'ABORT_ERR');
    test.equal(error.cause, reason);
    test.ok(error.bytesSent < 32 << 20);
    test.ok(from.destroyed);
    test.equal(((await behind) as NodeJS.ErrnoException).code, 'ERR_STREAM_DESTROYED');
    to.resume();
    await closing(to);
    await close();
  });

  t.test(`${kind}: destroyed while it is sent`, async (test) => {
    const { from, to, close } = await connect();
    const path = temporaryFile(test, pattern(32 << 20));
    const { begun, result } = sending({ from, to }, path);
    const waiting = failure(sendFile(from, path));
    await begun;
    from.destroy();
    test.equal((await result).code, 'ERR_STREAM_DESTROYED');
    test.equal((await waiting).code, 'ERR_STREAM_DESTROYED');
    test.equal((await failure(sendFile(from, path))).code, 'ERR_STREAM_DESTROYED');
    to.on('error', () => {}).resume();
    await close();
  });

  t.test(`${kind}: reset by the peer`, async (test) => {
    const { from, to, close } = await connect();
    const errors: NodeJS.ErrnoException[] = [];
    from.on('error', (error) => errors.push(error));
    const path = temporaryFile(test, pattern(32 << 20));
    const { begun, result } = sending({ from, to }, path);
    await begun;
    if (kind === 'tcp' || kind === 'ofNode') to.resetAndDestroy();
    else to.destroy();
    const error = await result;
    test.match(error.code, /^(ECONNRESET|EPIPE|ECONNABORTED|ECANCELED|EOF|ERR_STREAM_DESTROYED)$/);
    test.ok(error.bytesSent < 32 << 20);
    await close();
    test.ok(errors.length <= 1, 'one error at most');
  });
}

t.test('given up before its turn, it is left out', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  const path = temporaryFile(test, pattern(16 << 20));
  const controller = new AbortController();
  const first = from.sendFile(path);
  const second = failure(from.sendFile(path, { signal: controller.signal, head: 'never' }));
  from.end('end');
  controller.abort();
  test.equal((await second).code, 'ABORT_ERR');
  test.equal((await second).bytesSent, 0);
  test.equal((await readAll(client)).length, (16 << 20) + 3);
  await first;
  await close();
  const early = failure(from.sendFile(path, { signal: AbortSignal.abort() }));
  test.equal((await early).code, 'ABORT_ERR');
});

t.test('after end()', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  client.resume();
  from.end();
  const error = await failure(from.sendFile(temporaryFile(test, Buffer.from('late'))));
  test.equal(error.code, 'ERR_STREAM_WRITE_AFTER_END');
  test.equal(from.errored, null);
  await close();
});

t.test('a connect that fails', async (test) => {
  const { port, close } = await connectedPair(net);
  await close();
  const client = net.connect(port, '127.0.0.1');
  const refused = once(client, 'close').catch((error: NodeJS.ErrnoException) => error);
  const error = await failure(client.sendFile(temporaryFile(test, Buffer.from('nobody'))));
  test.equal(error.code, 'ECONNREFUSED');
  await refused;
});

/** How many descriptors of this process are of that file. */
function openOf(path: string): number {
  const isOfFile = (descriptor: string): boolean => {
    const link = `/proc/self/fd/${descriptor}`;
    return fs.existsSync(link) && fs.readlinkSync(link) === path;
  };
  return fs.readdirSync('/proc/self/fd').filter(isOfFile).length;
}

t.test(
  'descriptors: none is left open, and the caller may close at once',
  { skip: onWindows },
  async (test) => {
    const path = temporaryFile(test, pattern(32 << 20));
    const { peer, client, close } = await connectedPair(net);
    const from = peer as net.FileSendingSocket;
    const controller = new AbortController();
    const descriptor = fs.openSync(path, 'r');
    const { begun, result } = sending({ from, to: client }, descriptor, {
      signal: controller.signal,
    });
    await begun;
    if (core() !== null) test.equal(openOf(path), 2, 'ours and the duplicate');
    controller.abort();
    await result;
    fs.closeSync(descriptor);
    client.on('error', () => {}).resume();
    await close();
    await delay(50);
    test.equal(openOf(path), 0);
  },
);

t.test('nor one that was opened by its path', { skip: onWindows }, async (test) => {
  const path = temporaryFile(test, pattern(100_000));
  const { peer, client, close } = await connectedPair(net);
  client.resume();
  await sendFile(peer, path);
  await failure(sendFile(peer, path, { start: 100_001 }));
  await close();
  await delay(50);
  test.equal(openOf(path), 0);
});

t.test('what is on its way when its socket is destroyed is of no other file', async (test) => {
  const { peer: from, client: to, close } = await connectedPair(net);
  const bytes = pattern(32 << 20);
  const path = temporaryFile(test, bytes);
  const other = temporaryFile(test, Buffer.alloc(32 << 20, '-'));
  const chunks: Buffer[] = [];
  to.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
  const { begun, result } = sending({ from, to }, path);
  await begun;
  to.pause();
  await delay(200); // until the system's buffers are full
  from.destroy();
  await result;
  // They get the numbers of what is closed.
  const others = Array.from({ length: 10 }, () => fs.openSync(other, 'r'));
  to.resume();
  await closing(to);
  const received = Buffer.concat(chunks);
  test.ok(received.equals(bytes.subarray(0, received.length)), `${received.length} received`);
  for (const each of others) fs.closeSync(each);
  await close();
});

const fileServer = `${load('net')}
const { parentPort, workerData } = require('node:worker_threads');
const server = net.createServer((socket) => {
  socket.on('error', () => {});
  const onProgress = () => parentPort.postMessage('sending');
  socket.sendFile(workerData, { onProgress }).catch(() => {});
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

t.test('nor by a worker that is terminated while it sends', { skip: onWindows }, async (test) => {
  const path = temporaryFile(test, pattern(32 << 20));
  const worker = new Worker(fileServer, { eval: true, workerData: path });
  const [port] = (await once(worker, 'message')) as [number];
  const client = net.connect(port, '127.0.0.1');
  client.on('error', () => {}).once('data', () => client.pause());
  await once(worker, 'message');
  test.ok(openOf(path) > 0);
  await worker.terminate();
  test.equal(openOf(path), 0);
  client.destroy();
  await once(client, 'close');
});

/**
 * A reader that pauses while its peer goes on sending: memory stays bounded, other sockets keep
 * their speed, and afterwards every byte is there.
 */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Child } from './child';
import { check, note, program } from './report';
import { isWine, loadNet, netName, sized } from './settings';
import { closeServer, listen, LOOPBACK, megabytes, pause } from './sockets';
import { firstWrongByte } from './stream-bytes';

const MIB = 1024 * 1024;
const TOTAL = sized({ full: 1024, quick: 192, wine: 128, wineQuick: 32 }) * MIB;
const PAUSED_MS = sized({ full: 6000, quick: 1500 });
const SLICE_MS = sized({ full: 500, quick: 250 });
const MOST_GROWTH = 32 * MIB;
/** What scheduling on a busy machine may cost; a reader in the way costs nearly everything. */
const LEAST_SPEED = sized({ full: 0.5, quick: 0.25 });
const LOAD = { clients: 16, messageBytes: 512 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

interface Watched {
  /** Echoes per second of the other sockets, in the slice that others on the machine spared. */
  speed: number;
  mostBytes: number;
}

/** Looks for a while: the same way with and without the paused reader, as looking costs time. */
async function watch(load: Child, milliseconds: number): Promise<Watched> {
  let speed = 0;
  let mostBytes = 0;
  for (let spent = 0; spent < milliseconds; spent += SLICE_MS) {
    const rate = await load.call<number>('rate', { milliseconds: SLICE_MS });
    speed = Math.max(speed, rate);
    mostBytes = Math.max(mostBytes, residentBytes());
  }
  return { speed, mostBytes };
}

async function readAll(socket: Socket): Promise<{ digest: string; bytes: number; most: number }> {
  const digest = createHash('sha1');
  let bytes = 0;
  let most = 0;
  let wrong = -1;
  socket.on('data', (chunk: Buffer) => {
    if (wrong < 0) wrong = firstWrongByte(0, bytes, chunk);
    digest.update(chunk);
    // Asking for the memory is a system call: not for each chunk.
    if ((bytes + chunk.length) >> 24 !== bytes >> 24) {
      most = Math.max(most, process.memoryUsage.rss());
    }
    bytes += chunk.length;
  });
  await new Promise((resolve, reject) => {
    socket.once('end', resolve);
    socket.once('error', reject);
  });
  if (wrong >= 0) throw new Error(`wrong byte at ${wrong}`);
  return { digest: digest.digest('hex'), bytes, most };
}

program('paused reader', async () => {
  const net = loadNet(netName);
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => {});
  });
  const load = await Child.start('echo-load');
  const sender = await Child.start('bulk-sender');
  await load.call('start', { port: await listen(server), ...LOAD });
  await watch(load, SLICE_MS * 4); // until everything is warm

  const alone = await watch(load, PAUSED_MS / 2);
  const startBytes = residentBytes();
  const port = await sender.call<number>('start', { total: TOTAL });
  const reader = net.connect({ port, host: LOOPBACK });
  reader.on('error', (error) => note(`reader: ${error.message}`));
  // Flows at first, then pauses in the middle of what arrives.
  let first = 0;
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    reader.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      first += chunk.length;
      if (first < MIB) return;
      reader.removeAllListeners('data');
      reader.pause();
      resolve();
    });
  });
  reader.unshift(Buffer.concat(chunks.splice(0)));

  await check('memory stays bounded while the reader is paused', 60, async () => {
    const beside = await watch(load, PAUSED_MS);
    const progress = await sender.call<number>('progress');
    const growth = beside.mostBytes - startBytes;
    note(`the sender has got rid of ${megabytes(progress)} of ${megabytes(TOTAL)}`);
    note(
      `echoes per second: ${alone.speed.toFixed(0)} alone, ` +
        `${beside.speed.toFixed(0)} beside the paused reader`,
    );
    if (progress >= TOTAL) throw new Error('the sender was not held back');
    if (growth > MOST_GROWTH) throw new Error(`memory grew by ${megabytes(growth)}`);
    if (!isWine && beside.speed < alone.speed * LEAST_SPEED) throw new Error('others got slower');
    return `${megabytes(startBytes)} at the start, ${megabytes(beside.mostBytes)} at most`;
  });

  await check('afterwards the reader gets every byte', 120, async () => {
    const reading = readAll(reader);
    const started = performance.now();
    reader.resume();
    const { digest, bytes, most } = await reading;
    const seconds = (performance.now() - started) / 1000;
    const sent = await sender.call<{ bytes: number; digest: string; error: string | null }>(
      'result',
    );
    if (sent.error !== null) throw new Error(`the sender got ${sent.error}`);
    if (bytes !== sent.bytes || bytes !== TOTAL) {
      throw new Error(`${bytes} bytes received, ${sent.bytes} sent`);
    }
    if (digest !== sent.digest) throw new Error('received something else');
    const speed = megabytes(bytes / seconds);
    return `${megabytes(bytes)}, ${speed} per second, memory at most ${megabytes(most)}`;
  });

  await check('no echo was lost or wrong meanwhile', 15, async () => {
    const faults = await load.call<string[]>('stop');
    if (faults.length > 0) throw new Error(faults.slice(0, 10).join('\n'));
    await pause(0);
  });
  await Promise.all([load.end(), sender.end()]);
  await closeServer(server);
});

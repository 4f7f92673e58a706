/** Starts workers with servers of their own, loads them, and terminates them under load. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { answer } from '../child';
import { Random } from '../random';
import { loadNet, type NetName } from '../settings';
import { LOOPBACK, pause } from '../sockets';
import { within } from '../within';

interface Round {
  net: NetName;
  runSeed: number;
  clients: number;
  /** Terminated only once something was echoed, which takes a while on a busy machine. */
  isBusy: boolean;
}

const MESSAGE = Buffer.alloc(16 * 1024, 'x');
const CLOSE_SECONDS = 10;

let echoed = 0;
let onEcho = (): void => {};

/** Keeps the server sending and receiving until it is gone. */
function load(port: number): Socket {
  const socket = connect({ port, host: LOOPBACK });
  socket.on('connect', () => socket.write(MESSAGE));
  socket.on('data', (chunk) => {
    echoed += chunk.length;
    onEcho();
    socket.write(chunk);
  });
  socket.on('error', () => {});
  return socket;
}

function allClosed(sockets: readonly Socket[]): Promise<unknown> {
  return Promise.all(
    sockets
      .filter((socket) => !socket.closed)
      .map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  );
}

answer({
  /** The host's own engine is in use as well. */
  async warm({ net }: { net: NetName }): Promise<void> {
    const server = loadNet(net).createServer((socket) => socket.end());
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  },
  async round({ net, runSeed, clients, isBusy }: Round): Promise<number> {
    const random = new Random(runSeed);
    const worker = new Worker(join(__dirname, 'worker-echo.js'), { workerData: { net } });
    const failed = new Promise<never>((_, reject) => worker.once('error', reject));
    const [port] = (await Promise.race([once(worker, 'message'), failed])) as [number];
    echoed = 0;
    const firstEcho = new Promise<void>((resolve) => (onEcho = resolve));
    const sockets = Array.from({ length: clients }, () => load(port));
    if (isBusy) await firstEcho;
    await pause(random.integer(5, 60));
    await worker.terminate();
    await within(CLOSE_SECONDS, allClosed(sockets), () => {
      const open = sockets.filter((socket) => !socket.closed).length;
      return `${open} clients of a terminated worker are not closed`;
    });
    return echoed;
  },
});

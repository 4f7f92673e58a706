/** Clients on node:net that keep a server busy: one message in flight each, checked, counted. */
import { connect, type Socket } from 'node:net';
import { answer } from '../child';
import { LOOPBACK, pause } from '../sockets';
import { bytesAt, firstWrongByte } from '../stream-bytes';
import { within } from '../within';

interface Load {
  port: number;
  clients: number;
  messageBytes: number;
}

const STOP_SECONDS = 5;

let echoes = 0;
let faults: string[] = [];
let sockets: Socket[] = [];
let stopping = false;

function startClient({ port, messageBytes }: Load, start: number): Socket {
  let received = 0;
  const socket = connect({ port, host: LOOPBACK, noDelay: true });
  const send = (): void => void socket.write(bytesAt(start, received, messageBytes));
  socket.on('connect', send);
  socket.on('data', (chunk: Buffer) => {
    const wrong = firstWrongByte(start, received, chunk);
    if (wrong >= 0) faults.push(`wrong byte at ${wrong}`);
    received += chunk.length;
    if (received % messageBytes !== 0) return;
    echoes++;
    if (stopping) socket.end();
    else send();
  });
  socket.on('error', (error) => faults.push(error.message));
  socket.on('close', () => {
    if (!stopping) faults.push('closed too early');
  });
  return socket;
}

answer({
  start(load: Load): void {
    stopping = false;
    faults = [];
    sockets = Array.from({ length: load.clients }, (_, i) => startClient(load, i * 1000));
  },
  /** Echoes per second over the given time. */
  async rate({ milliseconds }: { milliseconds: number }): Promise<number> {
    const before = echoes;
    const started = performance.now();
    await pause(milliseconds);
    return ((echoes - before) / (performance.now() - started)) * 1000;
  },
  async stop(): Promise<string[]> {
    stopping = true;
    const open = sockets.filter((socket) => !socket.closed);
    const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await within(STOP_SECONDS, Promise.all(closed)).catch(() => faults.push('did not end'));
    return faults;
  },
});

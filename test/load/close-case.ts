/** One way of closing a connection, and what its peer sees. */
import * as nodeNet from 'node:net';
import type { Server, Socket } from 'node:net';
import { isWindows, isWine, loadNet, netName, sized } from './settings';
import { closeServer, listen, LOOPBACK, pause, until } from './sockets';
import { bytesAt, firstWrongByte } from './stream-bytes';

export const CLOSERS = ['server', 'client'] as const;
export const METHODS = [
  'end',
  'end, then destroy when finished',
  'destroySoon',
  'destroy',
  'resetAndDestroy',
] as const;
/** What the closing side has not read: nothing, what has arrived, or a stream that goes on. */
export const UNREAD = ['nothing', 'some', 'streaming'] as const;

export interface CloseCase {
  closer: (typeof CLOSERS)[number];
  method: (typeof METHODS)[number];
  unread: (typeof UNREAD)[number];
  /** Much more is written than the kernel takes at once. */
  pending: boolean;
  /** The peer starts reading only some time after the close. */
  late: boolean;
  /** The peer is node:net's, or of the module under test too. */
  peer: 'node' | 'same';
}

const KIB = 1024;
const MIB = 1024 * KIB;
const SMALL = 1000;
const LARGE = sized({ full: 8, quick: 8, wine: 8, wineQuick: 2 }) * MIB;
const ARRIVED = 64 * KIB;
const STREAMED = sized({ full: 16, quick: 8, wine: 8, wineQuick: 2 }) * MIB;
const PIECE = 512 * KIB;
const LATE_MS = 150;
const SECONDS = sized({ full: 10, quick: 8, wine: 30 });
const PEER_START = 4242;

interface Sides {
  closing: Socket;
  peer: Socket;
  server: Server;
}

function lengthsOf({ method, unread, pending }: CloseCase): { payload: number; sent: number } {
  const sent = { nothing: 0, some: ARRIVED, streaming: STREAMED }[unread];
  // A reset may overtake what was written, so that only one without any is the same every time.
  const little = method === 'resetAndDestroy' ? 0 : SMALL;
  return { payload: pending ? LARGE : little, sent };
}

async function connectSides({ closer, peer }: CloseCase): Promise<Sides> {
  const tested = loadNet(netName);
  const other = peer === 'node' ? nodeNet : tested;
  const [serving, connecting] = closer === 'server' ? [tested, other] : [other, tested];
  const server = serving.createServer({ pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = connecting.connect({ port: await listen(server), host: LOOPBACK });
  client.pause();
  await new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
  });
  const served = await accepted;
  return closer === 'server'
    ? { closing: served, peer: client, server }
    : { closing: client, peer: served, server };
}

function pieces(start: number, length: number): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at < length; at += PIECE) {
    all.push(bytesAt(start, at, Math.min(PIECE, length - at)));
  }
  return all;
}

function closeAs({ method }: CloseCase, socket: Socket, payload: number): void {
  const all = pieces(0, payload);
  const last = method.startsWith('end') ? all.pop() : null;
  for (const piece of all) socket.write(piece);
  switch (method) {
    case 'end':
      socket.end(last ?? '');
      break;
    case 'end, then destroy when finished':
      socket.end(last ?? '', () => socket.destroy());
      break;
    case 'destroySoon':
      socket.destroySoon();
      break;
    case 'destroy':
      socket.destroy();
      break;
    case 'resetAndDestroy':
      socket.resetAndDestroy();
      break;
  }
}

/** What a socket sees until it is closed. */
class Witness {
  bytes = 0;
  wrong = -1;
  ended = false;
  error: string | null = null;
  closed = false;

  constructor(socket: Socket, start: number) {
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error ??= error.code ?? error.message;
    });
    // Not by on('data'): that would start to read.
    this.read = () => {
      socket.on('data', (chunk: Buffer) => {
        if (this.wrong < 0) this.wrong = firstWrongByte(start, this.bytes, chunk);
        this.bytes += chunk.length;
      });
      socket.resume();
    };
  }

  readonly read: () => void;
}

function judgeReset(one: CloseCase, peer: Witness): string[] {
  if (!peer.closed) return ['the peer was not closed'];
  if (peer.error === 'ECONNRESET') return [];
  // libuv on POSIX: a short read in the turn in which the reset came is taken for the end.
  const isTakenForEnd = !isWindows && peer.ended && peer.bytes > 0;
  if (one.peer === 'node' && isTakenForEnd && peer.error === null) return [];
  return [`the peer got ${peer.error ?? 'no error'} after ${peer.bytes} bytes`];
}

function judgePolite(one: CloseCase, peer: Witness, closing: Witness): string[] {
  const { payload, sent } = lengthsOf(one);
  const faults: string[] = [];
  if (peer.error !== null) faults.push(`the peer got ${peer.error}`);
  if (!peer.ended) faults.push('the peer saw no end');
  if (peer.wrong >= 0) faults.push(`the peer received a wrong byte at ${peer.wrong}`);
  // Nobody asked for the end of what was written before destroy(): any part of it is right.
  if (one.method !== 'destroy' && peer.bytes !== payload) {
    faults.push(`the peer received ${peer.bytes} of ${payload}`);
  }
  if (!peer.closed) faults.push('the peer was not closed');
  if (!closing.closed) faults.push('the closing side was not closed');
  if (closing.error !== null) faults.push(`the closing side got ${closing.error}`);
  // Under Wine node:net as the sender now and then loses the tail of a large write before its FIN,
  // whoever reads; ours does not.
  const losesTail = isWine && one.peer === 'node' && closing.ended;
  if (one.method === 'end' && closing.bytes !== sent && !losesTail) {
    const end = closing.ended ? 'and the end' : 'and no end';
    faults.push(`the closing side then received ${closing.bytes} of ${sent} ${end}`);
  }
  return faults;
}

/** The faults; none is right. */
export async function runCase(one: CloseCase): Promise<string[]> {
  const sides = await connectSides(one);
  const { closing, peer } = sides;
  const { payload, sent } = lengthsOf(one);
  const peerSaw = new Witness(peer, 0);
  const closingSaw = new Witness(closing, PEER_START);
  for (const piece of pieces(PEER_START, sent)) peer.write(piece);
  // Arrived, but not read.
  if (sent > 0) await pause(30);
  if (!one.late) peerSaw.read();

  closeAs(one, closing, payload);
  if (one.late) {
    await pause(LATE_MS);
    peerSaw.read();
  }
  if (one.method === 'end') {
    await until(() => peerSaw.ended || peerSaw.error !== null, SECONDS * 1000);
    // What was not read keeps the connection half open: read it now.
    closingSaw.read();
  }
  await until(() => peerSaw.closed && closingSaw.closed, SECONDS * 1000);
  for (const socket of [closing, peer]) socket.destroy();
  await closeServer(sides.server);
  return one.method === 'resetAndDestroy'
    ? judgeReset(one, peerSaw)
    : judgePolite(one, peerSaw, closingSaw);
}

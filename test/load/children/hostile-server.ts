/** A server alone in its process, for clients that mean no good: what they cost it. */
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answer } from '../child';
import { loadNet, type NetName } from '../settings';
import { listen, until } from '../sockets';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const PIECE_BYTES = 32 * 1024;
const LOOK_MS = 2;

let connections = 0;
let received = 0;
const waiting = new Set<Socket>();
let longestStall = 0;
let lookedAt = performance.now();

function answerOn(socket: Socket): void {
  if (socket.write(Buffer.alloc(PIECE_BYTES, 'x'))) {
    setImmediate(answerOn, socket);
    return;
  }
  waiting.add(socket);
  socket.once('drain', () => {
    waiting.delete(socket);
    answerOn(socket);
  });
}

function look(): void {
  const now = performance.now();
  longestStall = Math.max(longestStall, now - lookedAt - LOOK_MS);
  lookedAt = now;
}

answer({
  start({ net }: { net: NetName }): Promise<number> {
    setInterval(look, LOOK_MS).unref();
    const server = loadNet(net).createServer((socket) => {
      connections++;
      socket.on('error', () => {});
      socket.on('close', () => connections--);
      socket.on('data', (chunk) => {
        received += chunk.length;
        // An 'r' asks for more than the client will read. It gets it by pieces, until write() is false.
        if (chunk[0] === 0x72) setImmediate(answerOn, socket);
      });
    });
    return listen(server);
  },
  connected: ({ count }: { count: number }): Promise<boolean> =>
    until(() => connections === count, 20_000),
  /** Memory, and the longest that the event loop was away since the last call. */
  look(): { memory: number; stallMs: number; received: number; waiting: number } {
    look();
    const stallMs = longestStall;
    collectGarbage();
    collectGarbage();
    const { rss: memory } = process.memoryUsage();
    lookedAt = performance.now();
    longestStall = 0;
    return { memory, stallMs, received, waiting: waiting.size };
  },
});

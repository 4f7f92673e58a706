/** Sends a long stream with node:net, as fast as it is taken, on the only connection it accepts. */
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { answer } from '../child';
import { eventOrClose, listen } from '../sockets';
import { bytesAt } from '../stream-bytes';

const PIECE = 256 * 1024;

interface Sent {
  bytes: number;
  digest: string;
  error: string | null;
}

let sent = 0;
let result: Promise<Sent> | undefined;

async function send(socket: Socket, total: number): Promise<Sent> {
  const digest = createHash('sha1');
  let error: string | null = null;
  socket.on('error', (each: NodeJS.ErrnoException) => (error = each.code ?? each.message));
  while (sent < total && !socket.destroyed) {
    const piece = bytesAt(0, sent, Math.min(PIECE, total - sent));
    digest.update(piece);
    sent += piece.length;
    if (!socket.write(piece)) await eventOrClose(socket, 'drain');
  }
  socket.end();
  await eventOrClose(socket, 'finish');
  return { bytes: sent, digest: digest.digest('hex'), error };
}

answer({
  async start({ total }: { total: number }): Promise<number> {
    const server = createServer((socket) => {
      server.close();
      result = send(socket, total);
    });
    return listen(server);
  },
  /** Handed to the stream so far. */
  progress: (): number => sent,
  result: (): Promise<Sent> | undefined => result,
});

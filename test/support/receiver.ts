/**
 * A child that takes what its parent sends: with a socket it answers each message with `child: …`,
 * with a server it greets each client. RECEIVER_REGISTER puts our net in the place of Node's first.
 */
import { kConnection } from '#dist/net/node/internals.js';
import * as nodeNet from 'node:net';
import type { Server, Socket } from 'node:net';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- before anything else
if (process.env['RECEIVER_REGISTER']) require('iocp-net/register');

export interface Received {
  got: 'socket' | 'server' | 'nothing';
  core: boolean;
}

/** Keeps what was received from being collected. */
const received: unknown[] = [];

function report(got: Received['got'], what: object | undefined): void {
  received.push(what);
  const core = Boolean((what as Record<symbol, unknown> | undefined)?.[kConnection]);
  process.send?.({ got, core } satisfies Received);
}

function takeSocket(socket: Socket): void {
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => socket.write(`child: ${String(chunk)}`));
  socket.on('end', () => socket.end());
  report('socket', socket);
}

async function sendOneBack(): Promise<void> {
  const net = await import('iocp-net');
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    process.send?.('from the child', socket);
    server.close();
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

process.on('message', (message: unknown, handle: Socket | Server | undefined) => {
  if (message === 'end') process.disconnect?.();
  else if (message === 'send one back') void sendOneBack();
  else if (handle instanceof nodeNet.Socket) takeSocket(handle);
  else if (handle === undefined) report('nothing', undefined);
  else {
    handle.on('connection', (socket: Socket) => socket.end('from the child'));
    report('server', handle);
  }
});
process.send?.('ready');

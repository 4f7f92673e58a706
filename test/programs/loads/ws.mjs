import { once } from 'node:events';
import { WebSocket } from 'ws';

/** 64 bytes there and back on each of 64 connections. */
export const lanes = 64;

export async function open({ port }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, 'open');
  const message = Buffer.alloc(64, 'x');
  return () =>
    new Promise((resolve) => {
      socket.once('message', resolve);
      socket.send(message);
    });
}

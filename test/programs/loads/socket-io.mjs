import { once } from 'node:events';
import { io } from 'socket.io-client';

/** A short text, acknowledged, over each of 64 WebSockets. */
export const lanes = 64;

export async function open({ port }) {
  const options = { transports: ['websocket'], forceNew: true, reconnection: false };
  const socket = io(`http://127.0.0.1:${port}`, options);
  await once(socket, 'connect');
  const text = 'x'.repeat(64);
  return () => new Promise((resolve) => socket.emit('echo', text, resolve));
}

/** Small things about sockets that several load tests need. */
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** On every IPv4 address of this machine, that is on all of 127.0.0.0/8. */
export const listenEverywhere = (server: Server): Promise<number> =>
  listen(server, undefined, '0.0.0.0');

export async function listen(server: Server, backlog = 4096, host = LOOPBACK): Promise<number> {
  server.listen({ port: 0, host, backlog });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits for an event; also comes back when the socket is closed instead. */
export function eventOrClose(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    const settle = (): void => {
      socket.off(event, settle);
      socket.off('close', settle);
      resolve();
    };
    socket.on(event, settle);
    socket.on('close', settle);
  });
}

/** Polls: for what reports itself by no event that could be waited for. */
export async function until(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  for (let looks = 0; !condition(); looks++) {
    if (performance.now() > deadline) return false;
    // What is about to happen is not kept waiting.
    if (looks < 20) await new Promise((resolve) => setImmediate(resolve));
    else await pause(5);
  }
  return true;
}

export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise((resolve) => server.close(resolve));
}

export const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** In a worker_thread: an echo server on an engine of its own, until it is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadNet, type NetName } from '../settings';
import { listen, LOOPBACK } from '../sockets';

const net = loadNet((workerData as { net: NetName }).net);
const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => socket.write(chunk));
});

void listen(server).then((port) => {
  parentPort?.postMessage(port);
  // Also as a client, of itself: connects are under way at the end too.
  const visit = (): void => {
    const socket = net.connect({ port, host: LOOPBACK });
    socket.on('error', () => {});
    socket.on('connect', () => socket.end('visit'));
    socket.on('close', visit);
    socket.resume();
  };
  visit();
});

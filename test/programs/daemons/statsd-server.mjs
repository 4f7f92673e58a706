// A server of statsd that keeps nothing: over UDP, and over TCP for who asks whether it is there.
//
//   node statsd-server.mjs PORT
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const port = Number(process.argv[2]);
const overUdp = createSocket('udp4', () => {});
overUdp.bind(port, '127.0.0.1', () => {
  createServer((socket) => socket.on('error', () => {}).resume()).listen(port, '127.0.0.1');
});

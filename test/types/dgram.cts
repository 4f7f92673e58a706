import nodeDgram = require('node:dgram');
import dgram = require('iocp-net/dgram');

const socket: dgram.Socket = dgram.createSocket({ type: 'udp6', reuseAddr: true });
export const asNodes: nodeDgram.Socket = socket;
export const made: dgram.Socket = dgram.createSocket('udp4', (bytes, sender) => {
  socket.send(bytes, sender.port, sender.address, (error: Error | null, sent: number) => {
    if (error === null) console.log(sent, sender.family === 'IPv4');
  });
});
export const bind: dgram.BindOptions = { port: 0, exclusive: true };

const multicast: dgram.SocketOptions = { type: 'udp4', trafficClass: 'multicast' };
export const classified: dgram.Socket[] = [
  dgram.createSocket(multicast),
  dgram.createSocket({ type: 'udp4', trafficClass: 'broadcast' }, (bytes) => bytes.length),
];
// @ts-expect-error -- no such class
dgram.createSocket({ type: 'udp4', trafficClass: 'stream' });

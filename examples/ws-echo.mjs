// An ordinary WebSocket program with `ws`. It is on iocp-net by how it is started:
//
//   npm install ws iocp-net
//   node --import iocp-net/register ws-echo.mjs
import { WebSocketServer } from 'ws';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

const server = new WebSocketServer({
  port: Number(PORT),
  host: HOST,
  maxPayload: 64 * 1024 * 1024,
  perMessageDeflate: true, // where the client asks for it
});

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.on('listening', () => {
  console.log(`ws listens on ws://${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());

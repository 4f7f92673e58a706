// A Socket.IO server: echo with acknowledgement, and rooms.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

const server = createServer();
const io = new Server(server, { maxHttpBufferSize: 64 * 1024 * 1024 });

io.on('connection', (socket) => {
  socket.on('echo', (value, acknowledge) => acknowledge(value));
  socket.on('join', (room, acknowledge) => {
    socket.join(room);
    acknowledge();
  });
  socket.on('say', (room, text) => io.to(room).emit('said', text));
});

server.listen(Number(PORT), HOST, () => {
  console.log(`Socket.IO listens on http://${HOST}:${server.address().port}`);
});

process.once('SIGTERM', () => io.close());

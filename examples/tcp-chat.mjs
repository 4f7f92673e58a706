// A chat over plain TCP: what one says goes to all others. Try it with two of: nc 127.0.0.1 7000
//
//   PORT=7000 HOST=127.0.0.1 node examples/tcp-chat.mjs
import net from 'iocp-net'; // was: 'node:net'
import { createInterface } from 'node:readline';

const { PORT = '7000', HOST = '127.0.0.1' } = process.env;

// What somebody who does not read may have waiting.
const patienceBytes = 1024 * 1024;

/** Names by socket. */
const guests = new Map();

function say(text, except) {
  for (const guest of guests.keys()) {
    if (guest === except) continue;
    guest.write(`${text}\n`);
    if (guest.writableLength > patienceBytes) guest.destroy();
  }
}

let arrivals = 0;

const server = net.createServer((socket) => {
  const name = `guest ${++arrivals}`;
  socket.setNoDelay(true);
  socket.on('error', () => {}); // 'close' follows
  socket.write(`you are ${name}\n`);
  say(`${name} has come`);
  guests.set(socket, name);
  createInterface({ input: socket }).on('line', (line) => say(`${name}: ${line}`, socket));
  socket.on('close', () => {
    guests.delete(socket);
    say(`${name} has gone`);
  });
});

server.listen(Number(PORT), HOST, () => {
  console.log(`The chat listens on ${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    for (const guest of guests.keys()) guest.end();
  });
}

// Finds who has a file by multicast, and fetches it over TCP:
//
//   node discovery.mjs offer FILE     on any machine of the network
//   node discovery.mjs find NAME      prints the file that somebody offers under this name
//
// GROUP, PORT and INTERFACE (an address of this machine) choose where.
import dgram from 'iocp-net/dgram';
import net from 'iocp-net';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

const { GROUP = '239.255.42.42', PORT = '4242', INTERFACE = '0.0.0.0' } = process.env;
const port = Number(PORT);
/** How often it is asked, and for how long, in milliseconds. */
const ASK_MS = 250;
const GIVE_UP_MS = 5000;

async function offer(file) {
  const server = net.createServer((peer) => {
    pipeline(createReadStream(file), peer).catch(({ message }) => console.error(message));
  });
  await once(server.listen(0), 'listening');
  const name = basename(file);
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (bytes, sender) => {
    if (String(bytes) !== `who has ${name}`) return;
    socket.send(`${server.address().port}`, sender.port, sender.address);
  });
  socket.bind(port, () => {
    socket.addMembership(GROUP, INTERFACE);
    console.log(`offers ${name}`);
  });
  const end = () => {
    socket.close();
    server.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
}

/** The first who answers. */
async function whoHas(name) {
  const socket = dgram.createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers?.() ?? withResolvers();
  const ask = () => socket.send(`who has ${name}`, port, GROUP);
  socket.once('message', (bytes, { address }) => resolve({ port: Number(bytes), address }));
  socket.once('error', reject);
  socket.bind(0, () => {
    socket.setMulticastTTL(1);
    if (INTERFACE !== '0.0.0.0') socket.setMulticastInterface(INTERFACE);
    ask();
  });
  const asking = setInterval(ask, ASK_MS);
  const limit = setTimeout(() => reject(new Error(`nobody has ${name}`)), GIVE_UP_MS);
  try {
    return await promise;
  } finally {
    clearInterval(asking);
    clearTimeout(limit);
    socket.close();
  }
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

async function find(name) {
  const { port, address } = await whoHas(name);
  const socket = net.connect(port, address);
  await once(socket, 'connect');
  await pipeline(socket, process.stdout);
}

const [what, argument] = process.argv.slice(2);
if (what === 'offer' && argument !== undefined) await offer(argument);
else if (what === 'find' && argument !== undefined) await find(argument);
else {
  console.error('discovery.mjs offer FILE | find NAME');
  process.exitCode = 2;
}

// A reliable stream over datagrams, made of what QUIC is made of (RFC 9000, RFC 9002): connection
// ids, packet numbers, acknowledgements in ranges, retransmission, a congestion window. There is no
// encryption and no flow control, so this is for reading, not for the Internet.
//
//   node reliable-stream.mjs serve         tells each client the SHA-256 of what it has sent
//   node reliable-stream.mjs send FILE     sends a file, prints the answer
//   node reliable-stream.mjs demo BYTES    both in one process; the client moves to another port
//
// HOST and PORT choose where. LOSS is the share of packets that each side drops when they arrive,
// from 0 to less than 1, and SEED says which.
import dgram from 'iocp-net/dgram';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Connection, ID_BYTES, parse } from './reliable-connection.mjs';

const { HOST = '127.0.0.1', PORT = '4433', LOSS = '0', SEED = '1' } = process.env;

/** How long the id of a connection that is over is remembered. */
const FORGET_AFTER_MS = 3000;

/** Whether a packet is to be lost, by a generator of its own (mulberry32). */
function lossOf(share, seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 < share;
  };
}

async function serve(port, onConnection, loses) {
  const connections = new Map();
  const socket = dgram.createSocket('udp4');
  const open = (id) => {
    const entry = { connection: null, peer: null, newest: -1 };
    const transmit = (packet) => socket.send(packet, entry.peer.port, entry.peer.address);
    entry.connection = new Connection(id, transmit);
    const forget = () => setTimeout(() => connections.delete(id), FORGET_AFTER_MS).unref();
    entry.connection.once('close', forget);
    connections.set(id, entry);
    onConnection(entry);
    return entry;
  };
  socket.on('message', (bytes, peer) => {
    const packet = parse(bytes);
    if (packet === null || loses()) return;
    const entry = connections.get(packet.id) ?? open(packet.id);
    // The client is where its newest packet came from, whatever address that is.
    if (packet.number > entry.newest) Object.assign(entry, { newest: packet.number, peer });
    if (!entry.connection.destroyed) entry.connection.receive(packet);
  });
  await once(socket.bind(port, HOST), 'listening');
  const end = () => {
    for (const { connection } of connections.values()) connection.destroy();
    // What the connections have said last is sent in a tick.
    setImmediate(() => socket.close());
  };
  return { port: socket.address().port, end };
}

async function connect(port, loses) {
  let socket = null;
  const id = randomBytes(ID_BYTES).toString('hex');
  const connection = new Connection(id, (packet) => socket.send(packet));
  /** Goes on from another port. */
  connection.move = async () => {
    const next = dgram.createSocket('udp4');
    next.on('message', (bytes) => {
      const packet = parse(bytes);
      if (packet?.id !== id || loses() || connection.destroyed) return;
      connection.receive(packet);
    });
    next.on('error', (error) => connection.destroy(error));
    next.connect(port, HOST);
    await once(next, 'connect');
    socket?.close();
    socket = next;
  };
  await connection.move();
  connection.once('close', () => socket.close());
  return connection;
}

async function answerWithHash({ connection, peer }) {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of connection.iterator({ destroyOnReturn: false })) {
      bytes += piece.length;
      hash.update(piece);
    }
    connection.end(`${bytes} bytes, SHA-256 ${hash.digest('hex')}\n`);
  } catch ({ message }) {
    console.error(`${peer.address}:${peer.port}: ${message}`);
  }
}

async function send(source, port, loses, onConnected = () => {}) {
  const connection = await connect(port, loses);
  onConnected(connection);
  const [answer] = await Promise.all([
    text(connection.iterator({ destroyOnReturn: false })),
    pipeline(source, connection),
  ]);
  return { answer, counts: connection.counts };
}

async function demo(bytes) {
  const loses = lossOf(Number(LOSS), Number(SEED));
  const server = await serve(0, answerWithHash, loses);
  const payload = randomBytes(bytes);
  const half = async function* () {
    yield payload.subarray(0, bytes >> 1);
    await moved();
    yield payload.subarray(bytes >> 1);
  };
  let moved = null;
  const { answer, counts } = await send(
    Readable.from(half()),
    server.port,
    loses,
    (connection) => (moved = connection.move),
  );
  server.end();
  const hash = createHash('sha256').update(payload).digest('hex');
  const isRight = answer === `${bytes} bytes, SHA-256 ${hash}\n`;
  process.stdout.write(answer);
  console.log(`which is ${isRight ? 'right' : 'wrong'}, from two ports`);
  console.log(`${counts.sent} packets sent, ${counts.lost} of them again`);
  if (!isRight) process.exitCode = 1;
}

process.once('uncaughtException', ({ message }) => {
  console.error(message);
  process.exit(1);
});

const [what, argument] = process.argv.slice(2);
const share = Number(LOSS);
if (!(share >= 0 && share < 1)) {
  console.error('LOSS is from 0 to less than 1');
  process.exitCode = 2;
} else if (what === 'serve') {
  const server = await serve(Number(PORT), answerWithHash, lossOf(share, Number(SEED)));
  console.log(`listens on ${HOST}:${server.port}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, server.end);
} else if (what === 'send' && argument !== undefined) {
  const loses = lossOf(share, Number(SEED) + 1);
  const { answer, counts } = await send(createReadStream(argument), Number(PORT), loses);
  process.stdout.write(answer);
  console.log(`${counts.sent} packets sent, ${counts.lost} of them again`);
} else if (what === 'demo' && Number(argument) > 0) {
  await demo(Number(argument));
} else {
  console.error('reliable-stream.mjs serve | send FILE | demo BYTES');
  process.exitCode = 2;
}

// An order gateway: a client sends orders one after the other at a steady rate, the gateway checks and
// acknowledges each, and the client measures how long that took. Frames have the header
// { dataLength, commandType }; numbers have fixed places, so nothing is parsed.
//
//   PORT=7000 HOST=127.0.0.1 node examples/order-gateway.mjs   serves
//   node examples/order-gateway.mjs --self-test                serves, sends 5,000 orders in a second, ends
import net from 'iocp-net'; // 'node:net' does as well
import { commandFrames, commandHeartbeat, framed } from 'iocp-net/framing';
import { createHistogram } from 'node:perf_hooks';

const { PORT = '7000', HOST = '127.0.0.1' } = process.env;

const Command = { order: 1, accepted: 2, rejected: 3 };
const orderBytes = 24; // id: uint64, price in cents: int64, quantity: uint32, instrument: uint32
const answerBytes = 16; // id: uint64, order number of the gateway: uint64
const mostQuantity = 10_000;

const codec = commandFrames({ maxPayloadBytes: 64 });
const heartbeat = commandHeartbeat({ interval: 1000 });
const connections = new Set();

let orders = 0n;

/** The answer to an order: a number for it, or 0 where it is rejected. */
function decide(order) {
  const isGood = order.readBigInt64BE(8) > 0n && order.readUInt32BE(16) - 1 < mostQuantity;
  const payload = Buffer.allocUnsafe(answerBytes);
  order.copy(payload, 0, 0, 8);
  payload.writeBigUInt64BE(isGood ? ++orders : 0n, 8);
  return { commandType: isGood ? Command.accepted : Command.rejected, payload };
}

function onOrder({ commandType, payload }, connection) {
  if (commandType !== Command.order || payload.length !== orderBytes) {
    throw new Error(`a frame of type ${commandType} and ${payload.length} bytes is no order`);
  }
  // Who does not read what was decided may not go on ordering.
  if (!connection.send(decide(payload))) connection.stream.pause();
}

const server = net.createServer({ noDelay: true }, (socket) => {
  const connection = framed(socket, codec, { heartbeat, onFrame: onOrder });
  connections.add(connection);
  connection.on('drain', () => socket.resume());
  connection.on('error', (error) => console.error(error.message)); // 'close' follows
  connection.on('close', () => connections.delete(connection));
});

function makeOrder(id, quantity) {
  const payload = Buffer.allocUnsafe(orderBytes);
  payload.writeBigUInt64BE(BigInt(id), 0);
  payload.writeBigInt64BE(12_345n, 8);
  payload.writeUInt32BE(quantity, 16);
  payload.writeUInt32BE(7, 20);
  return { commandType: Command.order, payload };
}

/** Sends so many orders, spread over a second; every tenth is too large. */
function sendOrders(port, count) {
  const roundTrip = createHistogram();
  const sinceDue = createHistogram();
  const sentAt = [];
  const begun = process.hrtime.bigint();
  const due = (id) => begun + (BigInt(id) * 1_000_000_000n) / BigInt(count);
  const answers = { accepted: 0, rejected: 0 };
  let sent = 0;
  return new Promise((resolve, reject) => {
    const onFrame = ({ commandType, payload }) => {
      const now = process.hrtime.bigint();
      const id = Number(payload.readBigUInt64BE(0));
      roundTrip.record(now - sentAt[id]);
      // A process that is late delays orders before they are sent; that is lateness, too.
      sinceDue.record(now - due(id));
      answers[commandType === Command.accepted ? 'accepted' : 'rejected']++;
      if (answers.accepted + answers.rejected < count) return;
      clearInterval(timer);
      client.end();
      resolve({ roundTrip, sinceDue, answers });
    };
    const socket = net.connect({ port, host: HOST, noDelay: true });
    const client = framed(socket, codec, { heartbeat, onFrame });
    client.on('error', reject);
    const timer = setInterval(() => {
      const now = process.hrtime.bigint();
      while (sent < count && due(sent) <= now) {
        sentAt.push(process.hrtime.bigint());
        client.send(makeOrder(sent, sent % 10 === 9 ? mostQuantity + 1 : 100));
        sent++;
      }
    }, 1);
  });
}

async function selfTest(port) {
  const { roundTrip, sinceDue, answers } = await sendOrders(port, 5000);
  console.log(`${answers.accepted} accepted, ${answers.rejected} rejected`);
  const micros = (nanoseconds) => `${Math.round(nanoseconds / 1000)} us`;
  const show = (histogram) =>
    `p50 ${micros(histogram.percentile(50))}, p99 ${micros(histogram.percentile(99))}`;
  console.log(`from sending to the answer: ${show(roundTrip)}`);
  console.log(`from when it was due, by timers of 1 ms: ${show(sinceDue)}`);
  server.close();
}

const isSelfTest = process.argv.includes('--self-test');

server.listen(isSelfTest ? 0 : Number(PORT), HOST, async () => {
  const { port } = server.address();
  if (isSelfTest) await selfTest(port);
  else console.log(`Orders are taken on ${HOST}:${port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    for (const connection of connections) connection.destroy();
  });
}

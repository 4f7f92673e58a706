// The echo load where the one in C++ cannot be had, as on Windows: in JavaScript, on node:net, in a
// process of its own. It is slower than the servers that it measures, so that their rates are its
// own; what a message costs the server, and the ratios, are not.
//
//   node portable.mjs JSON        { port, connections, size, depth, warm, seconds }
//
// Tells its parent 'begin' when the window begins, and in the end what it counted. Each message has
// `size` bytes, `depth` of them are under way on each connection; latencies are in microseconds.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import { argv, hrtime } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const { port, connections, size, depth = 1, warm, seconds } = JSON.parse(argv[2]);

// Three digits, as HdrHistogram has it.
const histogram = createHistogram();
const message = Buffer.alloc(size, 'm');
let operations = 0;
let allOperations = 0;
let isCounting = false;

/** Sends `depth` messages, and another for each that has come back whole. */
function keepEchoing(socket) {
  const sent = [];
  let received = 0;
  const send = () => {
    sent.push(hrtime.bigint());
    socket.write(message);
  };
  socket.on('data', (chunk) => {
    received += chunk.length;
    if (received > size * sent.length) throw new Error('more came back than was sent');
    for (; received >= size; received -= size) {
      const took = hrtime.bigint() - sent.shift();
      allOperations += 1;
      if (isCounting) {
        operations += 1;
        histogram.record(took > 0n ? took : 1n);
      }
      send();
    }
  });
  socket.on('close', () => {
    throw new Error('the server closed a connection');
  });
  for (let i = 0; i < depth; i += 1) send();
}

async function connected() {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

const micros = (percent) => histogram.percentile(percent) / 1e3;

const shares = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999];

const sockets = [];
for (let i = 0; i < connections; i += 1) sockets.push(await connected());
for (const socket of sockets) keepEchoing(socket);
await sleep(warm * 1000);
process.send('begin');
isCounting = true;
const begun = hrtime.bigint();
const before = process.cpuUsage();
await sleep(seconds * 1000);
isCounting = false;
const measured = Number(hrtime.bigint() - begun) / 1e9;
const { user, system } = process.cpuUsage(before);
process.send(
  {
    operations,
    allOperations,
    seconds: measured,
    loadCores: (user + system) / 1e6 / measured,
    p50: micros(50),
    p99: micros(99),
    p999: micros(99.9),
    quantiles: [[0, histogram.min / 1e3], ...shares.map((share) => [share, micros(100 * share)])],
  },
  () => process.exit(),
);

// An echo server of datagrams, with node:dgram and with iocp-net/dgram: how many answers a second, and
// how much of the processor each costs the server, all its threads together. The load is the same for
// all (`load datagrams`), on the other core where there is one. Every server is a process of its own,
// and the arms take turns; node:dgram has two, whose difference is the noise.
//
//   node bench/datagrams.mjs [--seconds 2] [--rounds 5] [--bytes 64,1200] [--peers 1,64]
//                            [--under-way 64] [--arm NAME=MODULE]...
//
// --under-way is the number of datagrams, in all: less than what a receive buffer of Linux holds by
// default. --arm puts others beside them: a file, or a package.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../dist/cli/bench/children.js';
import { median } from '../dist/cli/noise.js';
import { output, start } from './children.mjs';
import { buildLoad, canPin, onCore } from './tools.mjs';

/** Seconds until the server's JavaScript is compiled. */
const WARM_SECONDS = 1;
const SERVER_CORE = canPin ? 0 : undefined;
const LOAD_CORE = canPin ? 1 : undefined;

const { values } = parseArgs({
  options: {
    serve: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '64,1200' },
    peers: { type: 'string', default: '1,64' },
    'under-way': { type: 'string', default: '64' },
    arm: { type: 'string', multiple: true, default: [] },
  },
});

const modules = {
  node: 'node:dgram',
  ours: 'iocp-net/dgram',
  ...Object.fromEntries(values.arm.map((arm) => arm.split('=', 2))),
  'node again': 'node:dgram',
};
const arms = Object.keys(modules);

async function serve(module) {
  const { createSocket } = await import(module);
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  process.send({ port: socket.address().port });
}

/** @returns {Promise<{ rate: number, us: number }>} answers a second, and processor time of each */
async function measure(load, arm, { bytes, peers, seconds }) {
  const script = fileURLToPath(import.meta.url);
  const command = onCore(SERVER_CORE, [process.execPath, script, '--serve', modules[arm]]);
  const server = start(command, ['ignore', 'inherit', 'inherit', 'ipc']);
  const { port } = await messageOf(server, 'the server');
  const options = {
    ...{ port, pid: server.pid, seconds, warm: WARM_SECONDS },
    ...{ size: bytes, connections: peers, depth: Math.max(1, Number(values['under-way']) / peers) },
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const text = await output(onCore(LOAD_CORE, [load, 'datagrams', ...words]), seconds + 30);
  const result = JSON.parse(text);
  server.kill();
  await once(server, 'exit');
  return {
    rate: result.operations / result.seconds,
    us: (result.cpu * 1e6) / result.operations,
  };
}

function print({ bytes, peers }, results) {
  const of = (arm, what) => median(results[arm].map((each) => each[what]));
  const ratio = (arm, what) =>
    median(results[arm].map((each, round) => each[what] / results.node[round][what]));
  console.log(`${bytes} bytes, ${peers} ${peers === 1 ? 'peer' : 'peers'}:`);
  for (const arm of arms) {
    const rate = Math.round(of(arm, 'rate')).toString().padStart(7);
    const us = of(arm, 'us').toFixed(2).padStart(6);
    const ratios = arms.indexOf(arm) === 0 ? '' : `  rate ${ratio(arm, 'rate').toFixed(2)}`;
    const cost = arms.indexOf(arm) === 0 ? '' : `  processor ${ratio(arm, 'us').toFixed(2)}`;
    console.log(`  ${arm.padEnd(10)} ${rate} answers/s of ${us} us${ratios}${cost}`);
  }
}

async function compare(load, settings, rounds) {
  const results = Object.fromEntries(arms.map((arm) => [arm, []]));
  for (let round = 0; round < rounds; round++) {
    for (const arm of arms) results[arm].push(await measure(load, arm, settings));
  }
  print(settings, results);
}

if (values.serve === undefined) {
  const load = buildLoad();
  console.log('an echo server, and its ratios to node:dgram');
  for (const bytes of values.bytes.split(',').map(Number)) {
    for (const peers of values.peers.split(',').map(Number)) {
      const settings = { bytes, peers, seconds: Number(values.seconds) };
      await compare(load, settings, Number(values.rounds));
    }
  }
} else {
  await serve(values.serve);
}

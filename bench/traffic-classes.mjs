// How long TCP waits while a storm of multicast arrives: the same echo, quiet and in the storm, in a
// server with node:net and node:dgram, and in one with iocp-net whose datagrams share the port of
// the connections, have one that the event loop drives, or one that a thread drives.
//
//   npm run bench:classes -- [--rounds N] [--seconds S] [--rate N] [--groups N] [--work-us N] [--no-pin]
//                            [--node BIN] [--arm NAME=FOLDER]...
//
// `--node` runs the three processes in another Node. `--arm` sets other checkouts of this package, which
// are built, beside this one, with one port.
//
// The server has a core, client and sender share another one. The client's rate is modest and fixed;
// the sender's is a little more than the server can do, so that no core belongs to the sender alone.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../dist/cli/bench/children.js';
import { median } from '../dist/cli/noise.js';
import { start } from './children.mjs';
import { canPin, onCore } from './tools.mjs';

const CONNECTIONS = 8;
/** Of all connections together. */
const ECHOES_PER_SECOND = 500;
const BYTES = 64;
const WARM_MS = 1000;
const INTERFACE = '127.0.0.1';

const groupOf = (index) => `239.77.0.${index + 1}`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '60000' },
    groups: { type: 'string', default: '4' },
    'work-us': { type: 'string', default: '20' },
    'no-pin': { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    arm: { type: 'string', multiple: true, default: [] },
  },
});

const ofNode = { net: 'node:net', dgram: 'node:dgram' };
const ours = { net: 'iocp-net', dgram: 'iocp-net/dgram' };

/** Another checkout of this package. */
const inFolder = (folder) => {
  const entry = (name) => pathToFileURL(resolve(folder, `dist/entry/${name}.mjs`)).href;
  return { net: entry('net'), dgram: entry('dgram') };
};

/** What each server is made of. The first is measured twice in a round: that is the noise. */
const arms = {
  'node:net and node:dgram': ofNode,
  'one port': ours,
  'a port by the event loop': { ...ours, ports: { multicast: {} } },
  'a port by a thread': { ...ours, ports: { multicast: { thread: true } } },
  ...Object.fromEntries(
    values.arm.map((arm) => {
      const [name, folder] = arm.split('=', 2);
      return [name, inFolder(folder)];
    }),
  ),
  'node:net and node:dgram again': ofNode,
};

// --- The three processes

/** As long as a listener that has something to do with each datagram. */
function work(us) {
  const end = performance.now() + us / 1000;
  while (performance.now() < end);
}

async function serve({ modules, groups, workUs }) {
  const net = await import(modules.net);
  const dgram = await import(modules.dgram);
  if (modules.ports !== undefined) {
    const { engine } = await import('iocp-net/engine');
    engine.configure({ ports: modules.ports });
  }
  let received = 0;
  const ports = [];
  for (let i = 0; i < groups; i++) {
    const socket = dgram.createSocket({ type: 'udp4', trafficClass: 'multicast' });
    socket.on('message', () => {
      received++;
      work(workUs);
    });
    socket.bind(0, '0.0.0.0');
    await once(socket, 'listening');
    socket.addMembership(groupOf(i), INTERFACE);
    ports.push(socket.address().port);
  }
  const server = net.createServer((peer) =>
    peer.setNoDelay().on('data', (bytes) => peer.write(bytes)),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.on('message', () => process.send({ received }));
  process.send({ tcp: server.address().port, ports });
}

/** Sends at this rate until it is killed, to one group after the other. */
async function storm({ ports, rate }) {
  const dgram = await import('node:dgram');
  const sockets = [];
  for (const [index, port] of ports.entries()) {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, INTERFACE);
    await once(socket, 'listening');
    socket.setMulticastInterface(INTERFACE);
    socket.setMulticastLoopback(true);
    socket.connect(port, groupOf(index));
    await once(socket, 'connect');
    socket.on('error', () => {});
    sockets.push(socket);
  }
  const bytes = Buffer.alloc(BYTES, 'm');
  const begin = performance.now();
  let sent = 0;
  process.on('message', () => process.send({ sent }));
  process.send({ begun: true });
  setInterval(() => {
    const due = ((performance.now() - begin) * rate) / 1000;
    // What was missed is not made up for: the storm is even.
    if (due - sent > rate / 100) sent = due - rate / 100;
    for (; sent < due; sent++) sockets[Math.floor(sent) % sockets.length].send(bytes);
  }, 1);
}

/** @returns how long each echo took, in microseconds */
async function echo({ tcp, ms }) {
  const net = await import('node:net');
  const latencies = [];
  const everyMs = (1000 * CONNECTIONS) / ECHOES_PER_SECOND;
  const end = performance.now() + ms;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, index) => {
      const socket = net.connect(tcp, '127.0.0.1');
      await once(socket.setNoDelay(), 'connect');
      await sleep((index * everyMs) / CONNECTIONS);
      for (let next = performance.now(); next < end;) {
        const before = performance.now();
        socket.write(Buffer.alloc(BYTES, 'e'));
        await once(socket, 'data');
        latencies.push((performance.now() - before) * 1000);
        next += everyMs;
        await sleep(Math.max(0, next - performance.now()));
      }
      socket.destroy();
    }),
  );
  return latencies;
}

// --- A measurement

async function startRole(role, settings) {
  const file = fileURLToPath(import.meta.url);
  const core = values['no-pin'] || !canPin ? undefined : role === 'serve' ? 0 : 1;
  const command = onCore(core, [values.node, file, '--role', role]);
  const child = start(command, ['inherit', 'inherit', 'inherit', 'ipc']);
  child.send(settings);
  return { child, told: (ms) => messageOf(child, `the process "${role}"`, ms) };
}

async function stop(...roles) {
  for (const { child } of roles) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

async function asked({ child, told }) {
  child.send('count');
  return told();
}

const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

async function echoes(settings) {
  const client = await startRole('echo', settings);
  const latencies = (await client.told(settings.ms + 20_000)).sort((a, b) => a - b);
  await stop(client);
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

async function measure(arm, { groups, workUs, rate, ms }) {
  const server = await startRole('serve', { modules: arms[arm], groups, workUs });
  const { tcp, ports } = await server.told();
  await echoes({ tcp, ms: WARM_MS });
  const quiet = await echoes({ tcp, ms });
  const sender = await startRole('storm', { ports, rate });
  await sender.told();
  await sleep(WARM_MS);
  const before = { ...(await asked(server)), ...(await asked(sender)), at: performance.now() };
  const stormy = await echoes({ tcp, ms });
  const after = { ...(await asked(server)), ...(await asked(sender)), at: performance.now() };
  await stop(sender, server);
  const perSecond = (name) => (1000 * (after[name] - before[name])) / (after.at - before.at);
  return { quiet, stormy, received: perSecond('received'), sent: perSecond('sent') };
}

function report(results) {
  console.log(
    '| server | quiet: p50, p99 | in the storm: p50, p99 | p99, round by round | received |',
  );
  console.log('|---|---|---|---|---|');
  for (const [arm, runs] of Object.entries(results)) {
    const of = (when, which) => Math.round(median(runs.map((run) => run[when][which])));
    const rounds = runs.map(({ stormy }) => Math.round(stormy.p99)).join(', ');
    const received = Math.round(median(runs.map((run) => run.received)) / 1000);
    console.log(
      `| ${arm} | ${of('quiet', 'p50')}, ${of('quiet', 'p99')} | ${of('stormy', 'p50')}, ` +
        `${of('stormy', 'p99')} | ${rounds} | ${received},000 |`,
    );
  }
  const all = Object.values(results).flat();
  console.log(`\nsent: ${Math.round(median(all.map(({ sent }) => sent)))} a second; times in us`);
}

async function compare() {
  const settings = {
    groups: Number(values.groups),
    workUs: Number(values['work-us']),
    rate: Number(values.rate),
    ms: Number(values.seconds) * 1000,
  };
  const { stdout } = spawnSync(values.node, ['--version'], { encoding: 'utf8' });
  if (!stdout) throw new Error(`--node: there is no Node at ${values.node}`);
  console.log(`Node ${stdout.trim().slice(1)}`);
  const results = Object.fromEntries(Object.keys(arms).map((arm) => [arm, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const arm of Object.keys(arms)) results[arm].push(await measure(arm, settings));
  }
  report(results);
}

if (values.role === undefined) {
  await compare();
} else {
  const [settings] = await once(process, 'message');
  if (values.role === 'echo') process.send(await echo(settings));
  else await (values.role === 'serve' ? serve(settings) : storm(settings));
}

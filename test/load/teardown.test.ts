/**
 * Several ports, engines of worker_threads, and the hard ends: worker.terminate() and
 * process.exit() under load. Everything that may crash runs in a child process.
 */
import { connect, type Socket } from 'node:net';
import { Child } from './child';
import type { EchoResult } from './children/echo-clients';
import { type Account, planOf } from './echo-plan';
import { Random } from './random';
import { check, program } from './report';
import { isControl, netName, runs, seed, sized } from './settings';
import { LOOPBACK } from './sockets';
import { within } from './within';

const CONNECTIONS = sized({ full: 600, quick: 200, wine: 100, wineQuick: 40 });
const PORTS = 3;
const TERMINATIONS = runs(sized({ full: 50, quick: 6, wine: 10, wineQuick: 3 }));
const EXITS = runs(sized({ full: 30, quick: 6, wine: 6, wineQuick: 3 }));
const WORKER_CLIENTS = sized({ full: 32, quick: 16, wine: 8, wineQuick: 4 });
const EXIT_CLIENTS = sized({ full: 64, quick: 32, wine: 16, wineQuick: 8 });
const SECONDS = sized({ full: 30, quick: 20, wine: 90, wineQuick: 45 });
const EXIT_SECONDS = 10;

async function runOnPorts(): Promise<string> {
  const server = await Child.start('ports-server');
  const clients = await Child.start('echo-clients');
  const runSeed = new Random(seed, 1).integer(0, 0x7fffffff);
  const port = await server.call<number>('start', { net: netName, ports: PORTS, runSeed });
  const { accounts, stuck } = await clients.call<EchoResult>('run', {
    net: 'node:net',
    port,
    runSeed,
    firstId: 0,
    count: CONNECTIONS,
    seconds: SECONDS,
  });
  if (stuck.length > 0) throw new Error(stuck.join('\n'));
  const served = new Map(
    (await server.call<Account[]>('accounts')).map((account) => [account.id, account]),
  );
  const faults = accounts.flatMap((sent) => {
    const other = served.get(sent.id);
    const fault = sent.fault ?? other?.fault;
    if (fault) return [`#${sent.id}: ${fault}`];
    if (planOf(runSeed, sent.id).kind !== 'polite') return [];
    return other?.digest === sent.digest ? [] : [`#${sent.id}: the server received something else`];
  });
  if (faults.length > 0) throw new Error(faults.slice(0, 10).join('\n'));
  const receives = await server.call<number[]>('receives');
  if (!isControl && (receives.length !== PORTS || receives.includes(0))) {
    throw new Error(`receives per port: ${receives.join(', ')}`);
  }
  await Promise.all([server.end(), clients.end()]);
  return `receives per port: ${receives.join(', ')}`;
}

async function terminateWorkers(): Promise<string> {
  const host = await Child.start('worker-host');
  await host.call('warm', { net: netName });
  let echoed = 0;
  for (let round = 0; round < TERMINATIONS; round++) {
    const runSeed = new Random(seed, 2, round).integer(0, 0x7fffffff);
    const asked = { net: netName, runSeed, clients: WORKER_CLIENTS, isBusy: round % 2 === 0 };
    const bytes = await host.call<number>('round', asked).catch((error: unknown) => {
      throw new Error(`termination ${round + 1}: ${(error as Error).message}`);
    });
    if (bytes > 0) echoed++;
  }
  const { code, signal } = await host.end();
  if (code !== 0) throw new Error(`the host ended with ${code}, ${signal}`);
  // Else nothing was under load when it was terminated.
  if (echoed === 0) throw new Error('no worker has echoed anything');
  return `${TERMINATIONS} workers terminated, ${echoed} while they echoed`;
}

function load(port: number): Socket {
  const message = Buffer.alloc(2048, 'x');
  const socket = connect({ port, host: LOOPBACK });
  socket.on('connect', () => socket.write(message));
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('error', () => {});
  return socket;
}

async function exitOnce(random: Random): Promise<void> {
  const where = random.pick([
    ['data', 3],
    ['write', 2],
    ['connection', 1],
  ] as const);
  const after = where === 'connection' ? EXIT_CLIENTS / 2 : random.integer(10, 2000);
  const code = random.integer(0, 200);
  const server = await Child.start('exiting-server');
  const port = await server.call<number>('start', { net: netName, after, code, where });
  const sockets = Array.from({ length: EXIT_CLIENTS }, () => load(port));
  const exit = await within(EXIT_SECONDS, server.exit).catch(() => null);
  for (const socket of sockets) socket.destroy();
  if (exit === null) {
    await server.end();
    throw new Error(`no exit within ${EXIT_SECONDS} s (in ${where}, after ${after})`);
  }
  if (exit.code !== code) {
    throw new Error(
      `exit code ${exit.code}, signal ${exit.signal} instead of ${code} (in ${where}, after ${after})`,
    );
  }
}

program('several ports, and hard ends', async () => {
  await check(`${CONNECTIONS} connections on ${PORTS} ports`, SECONDS + 15, runOnPorts);
  await check('worker.terminate() under load', 180, terminateWorkers);
  await check('process.exit() in a listener under load', 240, async () => {
    for (let round = 0; round < EXITS; round++) await exitOnce(new Random(seed, 3, round));
    return `${EXITS} exits`;
  });
});

/** Many connections that are open and idle, and what each costs; then each echoes once. */
import { Child } from './child';
import { check, note, program } from './report';
import { isControl, netName, type NetName, sized } from './settings';
import { pause } from './sockets';

const CONNECTIONS = sized({ full: 10_000, quick: 1500, wine: 500, wineQuick: 100 });
const TEXT = 'wake up';
const ECHO_SECONDS = 15;

interface Cost {
  perConnection: number;
  echoMs: number;
}

async function measure(net: NetName): Promise<Cost> {
  const server = await Child.start('idle-server');
  const clients = await Child.start('idle-clients');
  const port = await server.call<number>('start', { net });
  // The first connections load code and fill pools: what comes after them is counted.
  const warm = await Child.start('idle-clients');
  await warm.call('open', { port, count: 50 });
  await warm.call('echo', { text: TEXT, seconds: ECHO_SECONDS });
  await warm.call('close');
  await warm.end();

  const before = await server.call<number>('memory');
  const faults = await clients.call<string[]>('open', { port, count: CONNECTIONS });
  if (faults.length > 0) throw new Error(faults.slice(0, 5).join('\n'));
  const all = await server.call<boolean>('connected', { count: CONNECTIONS });
  if (!all) throw new Error('the server has not accepted all');
  await pause(500);
  const after = await server.call<number>('memory');

  const started = performance.now();
  const received = await clients.call<number>('echo', { text: TEXT, seconds: ECHO_SECONDS });
  const echoMs = performance.now() - started;
  if (received !== CONNECTIONS * TEXT.length) {
    throw new Error(`${received} of ${CONNECTIONS * TEXT.length} bytes came back`);
  }
  await clients.call('close');
  if (!(await server.call<boolean>('connected', { count: 0 }))) {
    throw new Error('the server has not closed all');
  }
  const errors = await server.call<number>('errors');
  if (errors > 0) throw new Error(`${errors} errors at the server`);
  await Promise.all([clients.end(), server.end()]);
  return { perConnection: (after - before) / CONNECTIONS, echoMs };
}

program('idle connections', async () => {
  for (const net of new Set<NetName>(isControl ? ['node:net'] : ['node:net', netName])) {
    await check(`${CONNECTIONS} idle connections on ${net}, each then echoes`, 90, async () => {
      const { perConnection, echoMs } = await measure(net);
      note(`${net}: ${perConnection.toFixed(0)} bytes of memory per idle connection`);
      return `${CONNECTIONS} echoes in ${echoMs.toFixed(0)} ms`;
    });
  }
});

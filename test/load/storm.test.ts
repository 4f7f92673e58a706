/** New clients arrive at once while others keep the server busy: all are served, and soon. */
import { Child } from './child';
import type { StormResult } from './children/storm-clients';
import { check, program } from './report';
import { isControl, loadNet, netName, type NetName, runs, sized } from './settings';
import { closeServer, listen, pause, until } from './sockets';

const BUSY = sized({ full: 500, quick: 200, wine: 100, wineQuick: 40 });
const NEW = sized({ full: 1500, quick: 600, wine: 300, wineQuick: 100 });
const ROUNDS = runs(sized({ full: 5, quick: 1 }));
const SECONDS = sized({ full: 20, quick: 15, wine: 60 });
const MESSAGE_BYTES = 64;
const WARM_MS = 300;

async function storm(name: NetName): Promise<string> {
  let open = 0;
  const server = loadNet(name).createServer((socket) => {
    open++;
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => {});
    socket.on('close', () => open--);
  });
  const port = await listen(server);
  const busy = await Child.start('echo-load');
  const clients = await Child.start('storm-clients');
  await busy.call('start', { port, clients: BUSY, messageBytes: MESSAGE_BYTES });
  await until(() => open === BUSY, SECONDS * 1000);
  await pause(WARM_MS);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const result = await clients.call<StormResult>('run', { port, count: NEW, seconds: SECONDS });
    times.push(result.milliseconds);
    if (result.served !== NEW) {
      throw new Error(`${result.served} of ${NEW} served:\n${result.faults.join('\n')}`);
    }
  }
  const faults = await busy.call<string[]>('stop');
  if (faults.length > 0) throw new Error(faults.slice(0, 10).join('\n'));
  if (!(await until(() => open === 0, 5000))) throw new Error(`${open} sockets are left`);
  await Promise.all([busy.end(), clients.end()]);
  await closeServer(server);
  return `all served within ${times.map((each) => `${each.toFixed(0)} ms`).join(', ')}`;
}

program('accept storm', async () => {
  for (const name of new Set<NetName>(isControl ? ['node:net'] : ['node:net', netName])) {
    await check(`${NEW} new clients on ${BUSY} busy ones, ${name}`, SECONDS * ROUNDS + 30, () =>
      storm(name),
    );
  }
});

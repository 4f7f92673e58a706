/**
 * A mixed load for a long time: memory, descriptors and handles stay where they are once the server
 * is warm, and nothing is left when the clients have gone.
 *
 *   IOCP_NET_LOAD_MINUTES=n   how long; `npm run test:soak` sets it
 *   IOCP_NET_LOAD_SAMPLES=f   the file that the samples go to, as JSON
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child';
import type { SoakCounts, SoakLoad } from './children/soak-clients';
import { check, note, program } from './report';
import { isWindows, isWine, seed, sized } from './settings';
import { megabytes, pause } from './sockets';
import { growth, type Sample } from './soak-verdict';

const MINUTES = Number(process.env.IOCP_NET_LOAD_MINUTES ?? sized({ full: 2, quick: 0.1 }));
const SAMPLES = 120;
const SECONDS = MINUTES * 60;

/** What the clients are; Wine's server is one process for all of them. */
const LOAD = sized({
  full: { talkers: 24, idlers: 200, comers: 12, browsers: 8 },
  quick: { talkers: 8, idlers: 20, comers: 4, browsers: 4 },
  wine: { talkers: 8, idlers: 50, comers: 4, browsers: 4 },
});

function localPath(): string {
  const name = `iocp-net-soak-${process.pid}`;
  return isWindows ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

async function sampleWhile(server: Child, samples: Sample[]): Promise<void> {
  const begun = performance.now();
  for (let i = 1; i <= SAMPLES; i++) {
    const due = begun + (i * SECONDS * 1000) / SAMPLES;
    await pause(Math.max(0, due - performance.now()));
    samples.push(await server.call<Sample>('sample'));
    if (i % 10 === 0) tell(samples.at(-1)!);
  }
}

function tell({ accepted, open, rss, heap }: Sample): void {
  note(`${accepted} connections, ${open} open, memory ${megabytes(rss)}, heap ${megabytes(heap)}`);
}

async function soak(samples: Sample[]): Promise<SoakCounts> {
  const server = await Child.start('soak-server');
  const clients = await Child.start('soak-clients');
  const path = localPath();
  const ports = await server.call<{ echo: number; http: number }>('start', { path });
  await clients.call('begin', { ...ports, path, seed, ...LOAD } satisfies SoakLoad);
  await sampleWhile(server, samples);
  const counts = await clients.call<SoakCounts>('end');
  if (!(await server.call<boolean>('empty'))) throw new Error('connections are left');
  const { engineSockets } = await server.call<Sample>('sample');
  await server.call('stop');
  await Promise.all([clients.end(), server.end()]);
  if (engineSockets > 0) throw new Error(`the engine has ${engineSockets} connections left`);
  return counts;
}

program('soak', async () => {
  const samples: Sample[] = [];
  await check('a mixed load, and nothing is left', SECONDS * 1.5 + 90, async () => {
    const { faults, connections, messages, requests, bytes } = await soak(samples);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    return `${connections} connections, ${messages} messages, ${requests} requests, ${megabytes(bytes)}`;
  });
  const file = process.env.IOCP_NET_LOAD_SAMPLES;
  if (file !== undefined) writeFileSync(file, JSON.stringify({ seconds: SECONDS, samples }));
  // In less time nothing is warm, and Wine's own memory grows.
  if (MINUTES < 2) return;
  await check('it stays as it is', 1, () => {
    const grown = growth(samples);
    if (grown.length > 0) throw new Error(grown.join('\n'));
    return isWine ? 'under Wine' : '';
  });
});

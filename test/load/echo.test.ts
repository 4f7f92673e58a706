/**
 * Echo correctness under load: many connections with messages of all sizes, pauses, half-closes
 * and broken connections; every byte is checked on both sides.
 *
 * Half of the clients are node:net's: what fails for both kinds is the server's fault, what fails
 * for ours alone is our client's.
 */
import { Child } from './child';
import type { EchoResult, EchoRun } from './children/echo-clients';
import { type Account, BREAKS, planOf } from './echo-plan';
import { createEchoServer } from './echo-server';
import { Random } from './random';
import { check, program } from './report';
import { loadNet, netName, type NetName, runs, seed, sized } from './settings';
import { closeServer, listen, megabytes, until } from './sockets';

const CONNECTIONS = sized({ full: 1000, quick: 300, wine: 200, wineQuick: 60 });
const RUNS = runs(sized({ full: 100, quick: 3, wine: 10, wineQuick: 2 }));
const SECONDS = sized({ full: 30, quick: 20, wine: 90, wineQuick: 45 });

interface Clients {
  net: NetName;
  child: Child;
}

/** What the two sides of a connection must agree on. */
function judge(runSeed: number, sent: Account, served: Account | undefined): string | null {
  const { kind, total } = planOf(runSeed, sent.id);
  if (sent.fault !== null) return sent.fault;
  if (served === undefined) {
    // Broken off before the header came through.
    return kind.startsWith('client-') ? null : 'the server knows nothing of it';
  }
  if (served.fault !== null) return served.fault;
  if (kind === 'polite' || kind === 'server-ends-first') {
    if (served.error !== null) return `the server got ${served.error}`;
    if (served.bytes !== total) return `the server received ${served.bytes} of ${total}`;
    if (served.digest !== sent.digest) return 'the server received something else';
    return served.ended ? null : 'the server saw no end';
  }
  if (served.error !== null && !BREAKS.has(served.error)) return `the server got ${served.error}`;
  return null;
}

async function runOnce(runSeed: number, sides: readonly Clients[]): Promise<string> {
  const { server, accounts, sockets } = createEchoServer(loadNet(netName), runSeed);
  const port = await listen(server);
  const count = Math.ceil(CONNECTIONS / sides.length);
  const results = await Promise.all(
    sides.map(({ net, child }, side) => {
      const asked: EchoRun = {
        net,
        port,
        runSeed,
        firstId: side * count,
        count,
        seconds: SECONDS,
      };
      return child.call<EchoResult>('run', asked);
    }),
  );
  const faults: string[] = [];
  results.forEach(({ stuck }, side) => {
    for (const each of stuck) faults.push(`stuck, ${sides[side]?.net} client ${each}`);
  });
  if (!(await until(() => sockets.size === 0, 5000)) && faults.length === 0) {
    faults.push(`${sockets.size} sockets of the server are not closed`);
  }
  const byId = new Map(accounts.map((account) => [account.id, account]));
  let bytes = 0;
  results.forEach((result, side) => {
    for (const sent of result.accounts) {
      bytes += sent.bytes;
      const served = byId.get(sent.id);
      const fault = judge(runSeed, sent, served);
      if (fault === null) continue;
      const { kind } = planOf(runSeed, sent.id);
      const seen = JSON.stringify({ sent, served });
      faults.push(`${sides[side]?.net} client #${sent.id} ${kind}: ${fault} ${seen}`);
    }
  });
  for (const socket of sockets) socket.destroy();
  await closeServer(server);
  if (faults.length > 0) throw new Error(`run seed ${runSeed}\n${faults.join('\n')}`);
  return `${accounts.length} connections, ${megabytes(bytes)}`;
}

program('echo', async () => {
  const sides: Clients[] = await Promise.all(
    (['node:net', netName] as const).map(async (net) => ({
      net,
      child: await Child.start('echo-clients'),
    })),
  );
  for (let run = 0; run < RUNS; run++) {
    // The first run of a seed is the same however many there are.
    const runSeed = new Random(seed, run).integer(0, 0x7fffffff);
    await check(`echo run ${run + 1} of ${RUNS}`, SECONDS + 15, () => runOnce(runSeed, sides));
  }
  await Promise.all(sides.map(({ child }) => child.end()));
});

/** Clients of the echo test, on the module that the test names. */
import { answer } from '../child';
import type { Account } from '../echo-plan';
import { EchoClient } from '../echo-client';
import { loadNet, type NetName } from '../settings';
import { within } from '../within';

export interface EchoRun {
  net: NetName;
  port: number;
  runSeed: number;
  firstId: number;
  count: number;
  seconds: number;
}

export interface EchoResult {
  accounts: Account[];
  stuck: string[];
}

const MOST_STUCK_SHOWN = 10;

async function run(asked: EchoRun): Promise<EchoResult> {
  const net = loadNet(asked.net);
  const clients = Array.from(
    { length: asked.count },
    (_, i) => new EchoClient(asked.runSeed, asked.firstId + i),
  );
  const accounts: Account[] = [];
  const all = Promise.all(
    clients.map(async (client) => void accounts.push(await client.run(net, asked.port))),
  );
  await within(asked.seconds, all).catch(() => null); // who is late shows below
  const stuck = clients.filter(({ stage }) => stage !== 'closed');
  return {
    accounts,
    stuck: stuck
      .slice(0, MOST_STUCK_SHOWN)
      .map((client) => client.describe())
      .concat(stuck.length > MOST_STUCK_SHOWN ? [`and ${stuck.length} in all`] : []),
  };
}

answer({ run });

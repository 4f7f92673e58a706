/**
 * How a connection ends: which events come, in which order, and whether it holds the event loop, for
 * every combination of who ends, what is unread and unsent, and whether the socket is given up.
 * Each case is an environment of its own, a worker, which is over when nothing holds it.
 */
import t from 'tap';
import * as nodeNet from 'node:net';
import { Worker } from 'node:worker_threads';
import { entryFile } from '../support/child';
import { onWindows } from '../support/local';
import { closeServer, listen } from '../support/sockets';

t.setTimeout(170_000);

/** Cases that run at a time. */
const AT_ONCE = 8;
/** Rounds of the event loop, of 20 ms, after which a socket is destroyed and the peer reads. */
const ROUNDS = onWindows ? 25 : 10;
/**
 * Rounds of both event loops, of 50 ms, in which a case may say nothing before it counts as held.
 * Not a time, of which a busy machine may have none for it.
 */
const PATIENCE = onWindows ? 60 : 30;

const choices = {
  allowHalfOpen: [false, true],
  /** Whether somebody reads. */
  flows: [true, false],
  /** Bytes that the peer sends when it is connected. */
  peerSends: [0, 20],
  ends: ['nobody', 'peer', 'self', 'both'],
  /** Bytes that are written at once; of many, most wait until the peer reads. */
  writes: [0, 8 << 20],
  destroys: [false, true],
} as const;

type Case = { [Name in keyof typeof choices]: (typeof choices)[Name][number] };

function everyCase(): Case[] {
  let cases: object[] = [{}];
  for (const [name, values] of Object.entries(choices)) {
    cases = cases.flatMap((each) => values.map((value) => ({ ...each, [name]: value })));
  }
  // Wine takes seconds for each.
  return (onWindows ? cases.filter((_, at) => at % 3 === 0) : cases) as Case[];
}

const client = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { module, port, rounds, allowHalfOpen, flows, ends, writes, destroys } = workerData;
  const net = require(module);
  const tell = (what) => parentPort.postMessage(what);
  // The rounds begin when the peer has done its part, for which a busy machine may take long. From
  // then on none of this holds the loop.
  let missing = 2;
  const begin = () => --missing === 0 && wait(rounds);
  parentPort.on('message', (what) => {
    if (what !== 'served') return void setTimeout(tell, 50, 'idle').unref();
    parentPort.unref();
    begin();
  });
  const wait = (left) => {
    if (left > 0) return void setTimeout(wait, 20, left - 1);
    if (destroys) socket.destroy();
    tell('over');
  };
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen }, () => {
    if (flows) socket.resume();
    if (writes > 0) socket.write(Buffer.alloc(writes), (error) => tell('written ' + (error?.code ?? '')));
    if (ends === 'self' || ends === 'both') socket.end();
    begin();
  });
  for (const event of ['end', 'finish', 'drain', 'error', 'close']) {
    socket.on(event, (what) => tell(event + ' ' + (what?.code ?? what ?? '')));
  }`;

/** Answers an end with its own. */
function servePeer(peer: nodeNet.Socket, { peerSends, ends }: Case): void {
  peer.on('error', () => {});
  peer.on('end', () => peer.end());
  if (peerSends > 0) peer.write(Buffer.alloc(peerSends));
  if (ends === 'peer' || ends === 'both') peer.end();
}

/** What was told, in order, and at last whether it ended or was held. */
async function play(module: string, each: Case): Promise<string[]> {
  const peers: nodeNet.Socket[] = [];
  const server = nodeNet.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (peer) => {
    peers.push(peer);
    servePeer(peer, each);
    worker.postMessage('served');
  });
  const worker = new Worker(client, {
    eval: true,
    workerData: { module, port: await listen(server), rounds: ROUNDS, ...each },
  });
  const told: string[] = [];
  let patience = PATIENCE;
  const hear = (what: string): void => {
    if (what === 'idle') patience--;
    else patience = PATIENCE;
    if (what === 'over') for (const peer of peers) peer.resume();
    else if (what !== 'idle') return void told.push(what);
    if (patience > 0) return worker.postMessage('go on');
    told.push('held');
    void worker.terminate();
  };
  await new Promise<void>((resolve) => {
    worker.on('message', hear);
    worker.on('error', (error) => told.push(String(error)));
    worker.on('exit', () => resolve());
  });
  for (const peer of peers) peer.destroy();
  await closeServer(server);
  return told;
}

t.test('every way to end', { timeout: 160_000 }, async (test) => {
  const cases = everyCase();
  const next = async (): Promise<void> => {
    for (let each = cases.pop(); each !== undefined; each = cases.pop()) {
      const found = each;
      const modules = ['node:net', entryFile('net')];
      const [expected, actual] = await Promise.all(modules.map((module) => play(module, found)));
      test.strictSame(actual, expected, JSON.stringify(each));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE / 2 }, next));
});

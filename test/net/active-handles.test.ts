/** What `process` lists as active: programs and test runners look there for what was left open. */
import t from 'tap';
import type * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import type { Scenario } from '../support/compare';
import { localPair, localPath } from '../support/local';
import { closing, connectedPair, delay, quiet } from '../support/sockets';
import type { Pair } from '../support/sockets';

interface Lists {
  _getActiveHandles(): unknown[];
  getActiveResourcesInfo(): string[];
}

const { _getActiveHandles: ofNode } = process as unknown as Lists;

const isListed = (each: unknown): boolean =>
  (process as unknown as Lists)._getActiveHandles().includes(each);

/** How many of each kind there are now. */
function count(): Record<string, number> {
  const counts: Record<string, number> = { TCPSocketWrap: 0, TCPServerWrap: 0, PipeWrap: 0 };
  for (const name of (process as unknown as Lists).getActiveResourcesInfo()) {
    if (counts[name] !== undefined) counts[name]++;
  }
  return counts;
}

/** Node says 'close' of a server before its handle is closed. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => resolve()));

/** Node on Windows closes a server's handle some turns after its 'close'. */
async function until(isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 100 && !isSo(); look++) await delay(5);
}

type Opened = Omit<Pair, 'port'>;

/** Follows a pair of sockets and their server from their beginning to their end. */
function follow(open: (net: Scenario['net']) => Promise<Opened>) {
  return async ({ net, log }: Scenario): Promise<void> => {
    await until(() => count()['TCPServerWrap'] === 0);
    const before = count();
    const note = (what: string): void => {
      const now = Object.entries(count()).map(([name, many]) => many - (before[name] ?? 0));
      log(what, now);
    };
    const { server, client, peer } = await open(net);
    const look = (what: string): void => {
      note(what);
      log(isListed(server), isListed(client), isListed(peer));
    };
    look('open');
    client.unref();
    server.unref();
    look('unreferenced');
    client.ref();
    server.ref();
    quiet(client).destroy();
    quiet(peer).destroy();
    look('destroyed');
    await Promise.all([closing(client), closing(peer)]);
    await turn();
    look('closed');
    await new Promise((resolve) => server.close(resolve));
    await until(() => !isListed(server));
    look('server closed');
  };
}

sameAsNode(t, 'TCP', follow(connectedPair));

sameAsNode(
  t,
  'a path',
  follow((net) => localPair(net, localPath())),
);

sameAsNode(t, 'a socket whose handle someone has looked at', async ({ net, log }) => {
  const { client, close } = await connectedPair(net);
  log((client as nodeNet.Socket & { _handle: object | null })._handle !== null, isListed(client));
  await close();
  log(isListed(client));
});

t.test('the lists are replaced with the first socket', (test) => {
  test.not((process as unknown as Lists)._getActiveHandles, ofNode);
  test.match(ofNode.name, '_getActiveHandles');
  test.end();
});

/** Limits on who is let in. */
import t from 'tap';
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { networkOf } from '#dist/net/server/address-counts.js';
import { limitedServer } from '../support/limited';
import { localPath, listenAt } from '../support/local';
import { closed, closeServer, closing, delay, listen, quiet } from '../support/sockets';

/** Connections made in this process while it runs: native objects, or ours in their place. */
async function connectionsMade(run: () => Promise<unknown>): Promise<number> {
  let made = 0;
  const hook = createHook({ init: (_id, type) => void (made += Number(type === 'TCPWRAP')) });
  hook.enable();
  await run();
  hook.disable();
  return made;
}

t.test('connections in all', async (test) => {
  const { server, peers, drops, connect, counted, close } = await limitedServer({ connections: 2 });
  const [first] = [await connect(), await connect()];
  const third = await connect();
  await closing(third);
  test.equal(peers.length, 2);
  test.equal(drops.length, 1);
  const [drop] = drops;
  test.equal(drop?.reason, 'connections');
  test.equal(drop?.remoteAddress, '127.0.0.1');
  test.equal(drop?.localPort, (server.address() as nodeNet.AddressInfo).port);
  test.equal(counted().connections, 1);

  // Who goes makes room, whatever listeners were taken away.
  peers[0]?.removeAllListeners('close');
  if (first !== undefined) await closed(first);
  while (peers[0]?.destroyed === false) await delay(5);
  await connect();
  test.equal(peers.length, 3);
  test.equal(drops.length, 1);
  await close();
});

t.test('connections from one address', async (test) => {
  const { peers, drops, connect, counted, close } = await limitedServer({
    connectionsPerAddress: 2,
  });
  const first = await connect();
  await connect();
  await closing(await connect());
  test.equal(drops.length, 1);
  test.equal(drops[0]?.reason, 'connectionsPerAddress');
  await connect({ localAddress: '127.0.0.2' });
  test.equal(peers.length, 3);
  await closed(first);
  while (peers[0]?.destroyed === false) await delay(5);
  await connect();
  test.equal(peers.length, 4);
  test.equal(counted().connectionsPerAddress, 1);
  await close();
});

t.test('addresses of one network of IPv6 count as one', async (test) => {
  const networks = (...addresses: string[]): Set<string> =>
    new Set(addresses.map((address) => networkOf({ address, family: 'IPv6' })));
  const same = [
    '2001:db8:1:2::',
    '2001:db8:1:2::9',
    '2001:db8:1:2:a:b:c:d',
    '2001:db8:1:2:0:0:0:1',
  ];
  test.equal(networks(...same).size, 1);
  test.equal(networks('2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8::1', '::1').size, 4);
  test.equal(networks('fe80::1%eth0', 'fe80::2%eth0').size, 1);
  test.equal(networks('fe80::1%eth0', 'fe80::1%eth1').size, 2);
  const ipv4 = networkOf({ address: '192.0.2.1', family: 'IPv4' });
  test.equal(networkOf({ address: '::ffff:192.0.2.1', family: 'IPv6' }), ipv4);
});

t.test('connections per second', async (test) => {
  const started = performance.now();
  const limits = { acceptsPerSecond: 1, acceptBurst: 2 };
  const { peers, drops, connect, counted, close } = await limitedServer(limits);
  for (let each = 0; each < 8; each++) await connect();
  const seconds = (performance.now() - started) / 1000;
  test.ok(peers.length >= 2, 'the burst comes in');
  test.ok(peers.length <= 2 + seconds, `${peers.length} in ${seconds} s`);
  test.ok(drops.every(({ reason }) => reason === 'acceptsPerSecond'));
  test.equal(counted().acceptsPerSecond, 8 - peers.length);
  const before = peers.length;
  await delay(1100);
  await connect();
  test.equal(peers.length, before + 1, 'later there is room again');
  await close();
});

t.test('who is turned away anyway takes no turn of the others', async (test) => {
  const limits = { connectionsPerAddress: 1, acceptsPerSecond: 1, acceptBurst: 2 };
  const { peers, drops, connect, close } = await limitedServer(limits);
  for (let each = 0; each < 5; each++) await connect();
  test.equal(peers.length, 1);
  await connect({ localAddress: '127.0.0.2' });
  test.equal(peers.length, 2);
  test.ok(drops.every(({ reason }) => reason === 'connectionsPerAddress'));
  await close();
});

t.test('of a local socket there is only the reason to tell', async (test) => {
  const path = localPath();
  const server = net.createServer({ limits: { connections: 0, connectionsPerAddress: 1 } });
  await listenAt(server, path);
  const dropped = once(server, 'drop');
  const client = quiet(net.connect(path));
  client.resume();
  const [data] = (await dropped) as [net.DropArgument];
  test.strictSame({ ...data }, { reason: 'connections' });
  await closed(client);
  await closeServer(server);
});

const onCore = engine.backend !== 'node';

t.test('who is turned away has no object', { skip: !onCore }, async (test) => {
  const { connect, drops, peers, server, close } = await limitedServer({ connections: 1 });
  test.equal(await connectionsMade(connect), 2, 'that of the client, and that of the server');
  test.equal(await connectionsMade(connect), 1);
  test.equal(drops.length, 1);
  test.equal(peers.length, 1);
  server.maxConnections = 1;
  test.equal(await connectionsMade(connect), 1);
  test.notOk(Object.hasOwn(drops[1] ?? {}, 'reason'), "Node's own limit gives no reason");
  await close();
});

const blocksAddresses = 'blockList' in net.createServer({ blockList: undefined } as object);

t.test(
  'who is on the block list has no object, and Node says nothing of it',
  { skip: !onCore || !blocksAddresses },
  async (test) => {
    const blockList = new net.BlockList();
    blockList.addAddress('127.0.0.1');
    const server = net.createServer({ blockList } as nodeNet.ServerOpts, () =>
      test.fail('blocked'),
    );
    server.on('drop', () => test.fail('no drop'));
    const port = await listen(server);
    const before = engine.stats().drops.blockList;
    const made = await connectionsMade(async () => {
      const client = quiet(net.connect(port, '127.0.0.1'));
      client.resume();
      await closing(client);
    });
    test.equal(made, 1);
    test.equal(engine.stats().drops.blockList - before, 1);
    await closeServer(server);
  },
);

t.test('a connection is turned away although the listener throws', async (test) => {
  const { server, connect, peers, close } = await limitedServer({ connections: 0 });
  const thrown = new Error('from the listener');
  server.on('drop', () => {
    throw thrown;
  });
  // Instead of tap's, which would take it for a failure.
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught = once(process, 'uncaughtException');
  await closing(await connect());
  test.equal((await caught)[0], thrown);
  for (const listener of listeners) process.on('uncaughtException', listener);
  test.equal(peers.length, 0);
  await close();
});

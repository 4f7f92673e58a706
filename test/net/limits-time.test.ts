/** Limits on how long a connection may be silent. */
import t from 'tap';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { load, run } from '../support/child';
import { limitedServer } from '../support/limited';
import { closed, closeServer, closing, delay, listen, quiet } from '../support/sockets';

t.test('the first byte has to come in time', async (test) => {
  const firstByteMs = 300;
  const limited = await limitedServer({ firstByteMs });
  const { peers, drops, errors, connect, counted, close } = limited;
  const talks = await connect();
  talks.write('x');
  const started = performance.now();
  const silent = await connect();
  await closing(silent);
  const took = performance.now() - started;
  test.ok(took > firstByteMs - 20, `not before its time: ${took}`);
  await delay(2 * firstByteMs);
  test.equal(peers[0]?.destroyed, false, 'one byte is enough');
  test.equal(peers[1]?.destroyed, true);
  test.equal(errors.length, 1);
  const [error] = errors;
  test.equal(error?.code, 'ERR_IOCP_NET_LIMIT');
  test.equal(error?.limit, 'firstByteMs');
  test.match(error?.message, 'firstByteMs: 300');
  test.equal(drops.length, 1);
  test.equal(drops[0]?.reason, 'firstByteMs');
  test.equal(drops[0]?.remoteAddress, '127.0.0.1');
  test.equal(counted().firstByteMs, 1);
  await close();
});

t.test('what came and was not read counts as come', async (test) => {
  const limited = await limitedServer({ firstByteMs: 200 }, () => {}, { pauseOnConnect: true });
  const { peers, connect, close } = limited;
  const client = await connect();
  client.write('waits');
  await delay(600);
  test.equal(peers[0]?.destroyed, false);
  test.equal(peers[0]?.bytesRead, 0);
  await close();
});

t.test('a connection on which nothing moves is destroyed', async (test) => {
  const idleMs = 400;
  const limited = await limitedServer({ idleMs });
  const { peers, drops, errors, connect, counted, close } = limited;
  const [silent, sends, receives] = [await connect(), await connect(), await connect()];
  const started = performance.now();
  const beat = setInterval(() => {
    sends.write('x');
    peers[2]?.write('y');
  }, 50);
  await closing(silent);
  const took = performance.now() - started;
  test.ok(took > idleMs - 20, `not before its time: ${took}`);
  await delay(2 * idleMs);
  test.strictSame(
    peers.map(({ destroyed }) => destroyed),
    [true, false, false],
  );
  test.equal(errors[0]?.limit, 'idleMs');
  test.strictSame(
    drops.map(({ reason }) => reason),
    ['idleMs'],
  );
  clearInterval(beat);
  await Promise.all([closing(sends), closing(receives)]);
  test.equal(counted().idleMs, 3, 'those that have fallen silent, too');
  await close();
});

t.test('no client ends the process by a limit', async (test) => {
  const server = net.createServer({ limits: { firstByteMs: 100 } });
  const accepted = once(server, 'connection');
  const client = quiet(net.connect(await listen(server), '127.0.0.1'));
  client.resume();
  const [peer] = (await accepted) as [net.Socket];
  const hadError = await new Promise((resolve) => peer.once('close', resolve));
  test.equal(hadError, false, 'nobody listens for an error, so there is none');
  await closed(client);
  await closeServer(server);
});

t.test('one timer serves all connections', async (test) => {
  let timers = 0;
  const hook = createHook({ init: (_id, type) => void (timers += Number(type === 'Timeout')) });
  const { connect, close } = await limitedServer({ idleMs: 60_000, firstByteMs: 60_000 });
  hook.enable();
  for (let each = 0; each < 40; each++) await connect();
  hook.disable();
  // It ticks once a second.
  test.ok(timers <= 5, `${timers} timers for 40 connections`);
  await close();
});

t.test("'drop' comes in the context in which the server was made", async (test) => {
  const storage = new AsyncLocalStorage<string>();
  const server = storage.run('server', () => net.createServer({ limits: { firstByteMs: 50 } }));
  const port = await listen(server);
  const dropped = new Promise((resolve) => {
    server.on('drop', () => resolve(storage.getStore()));
  });
  const client = storage.run('client', () => quiet(net.connect(port, '127.0.0.1')));
  test.equal(await dropped, 'server');
  await closed(client);
  await closeServer(server);
});

t.test('the timer does not hold the process', async (test) => {
  const program = `${load('net')}
    const server = net.createServer({ limits: { idleMs: 60_000, firstByteMs: 60_000 } }, (peer) => {
      peer.unref();
      client.unref();
      server.unref();
      console.log('unreferenced');
    });
    let client;
    server.listen(0, '127.0.0.1', () => {
      client = net.connect(server.address().port, '127.0.0.1');
    });`;
  const { code, signal, stdout } = await run(program, 10_000);
  test.strictSame(
    { code, signal, stdout: stdout.trim() },
    { code: 0, signal: null, stdout: 'unreferenced' },
  );
});

/** What holds for workers that share a port, whoever accepts for them. */
import type { Test } from 'tap';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import * as nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, askOften, countByWorker, endAll, fork, forkAll, forkListening } from './cluster';
import { closeServer, listen as listenOn } from './sockets';

const anywhere = { port: 0, host: '127.0.0.1' };
const host = '127.0.0.1';

async function everyWorkerAccepts(test: Test, onCore: boolean): Promise<void> {
  const workers = await forkAll(4, anywhere);
  const port = workers[0]?.port as number;
  test.ok(port > 0);
  test.ok(
    workers.every((each) => each.port === port),
    'listen(0) gives all the same port',
  );
  const answers = await askOften({ port, host }, 400);
  const counts = [...countByWorker(answers).values()];
  test.equal(counts.length, 4);
  test.ok(
    counts.every((count) => count >= 50),
    `evenly: ${counts.join(', ')}`,
  );
  test.ok(
    answers.every(({ core }) => core === onCore),
    onCore ? 'on the core' : "on node's own",
  );
}

/** Counts until so many workers have answered: one that has no time for it is passed over. */
async function countUntil(workers: number, port: number): Promise<Map<number, number>> {
  const answers = [];
  for (let round = 0; round < 50 && countByWorker(answers).size < workers; round++) {
    answers.push(...(await askOften({ port, host }, 60)));
  }
  return countByWorker(answers);
}

async function closeInOneWorker(test: Test): Promise<void> {
  const workers = await forkAll(3, anywhere);
  const { worker: first, port } = workers[0] as (typeof workers)[0];
  const closed = once(first, 'message');
  first.send('close');
  test.strictSame((await closed)[0], 'closed');
  const counts = await countUntil(2, port);
  test.equal(counts.get(first.id), undefined, 'it accepts no more');
  test.equal(counts.size, 2, 'the others do');
  // It may listen again, and then gets its share.
  const again = once(first, 'message');
  first.send(anywhere);
  await again;
  for (let i = 0; i < 200; i++) if ((await ask({ port, host })).worker === first.id) return;
  test.fail('after listening again it gets none');
}

/** Its connection is there before it learns that it is to close, and both when it comes back. */
async function closeWithOneWaiting(test: Test): Promise<void> {
  for (const how of ['close', 'disconnect']) {
    const workers = await forkAll(2, anywhere);
    const { worker: first, port } = workers[0] as (typeof workers)[0];
    const away = workers.map(({ worker }) => once(worker, 'message'));
    for (const [index, { worker }] of workers.entries()) worker.send({ awayMs: 200 * (index + 1) });
    await Promise.all(away);
    const answer = ask({ port, host });
    first.send(how);
    const ids = workers.map(({ worker }) => worker.id);
    test.ok(ids.includes((await answer).worker), how);
    await endAll();
  }
}

async function crashAndRestart(test: Test): Promise<void> {
  const workers = await forkAll(2, anywhere);
  const { worker: victim, port } = workers[0] as (typeof workers)[0];
  const exited = once(victim, 'exit');
  victim.process.kill('SIGKILL');
  await exited;
  const [other] = [workers[1]?.worker.id];
  const left = countByWorker(await askOften({ port, host }, 20));
  test.strictSame([...left], [[other, 20]]);
  const next = await forkListening(anywhere);
  test.equal(next.port, port);
  const counts = await countUntil(2, port);
  test.strictSame([...counts.keys()].sort(), [other, next.worker.id].sort());
}

async function exclusive(test: Test): Promise<void> {
  const [first, second] = await forkAll(2, { ...anywhere, exclusive: true });
  if (first === undefined || second === undefined) throw new Error('no workers');
  test.not(first.port, second.port);
  for (const { worker, port } of [first, second]) {
    test.strictSame(await ask({ port, host }), { worker: worker.id, core: true });
  }
}

async function disconnect(test: Test): Promise<void> {
  const workers = await forkAll(2, anywhere);
  for (const [index, { worker }] of workers.entries()) {
    const exited = once(worker, 'exit');
    const disconnected = once(worker, 'disconnect');
    // Asked for by the worker itself, and by the primary.
    if (index === 0) worker.send('disconnect');
    else worker.disconnect();
    await disconnected;
    test.strictSame(await exited, [0, null]);
    test.equal(worker.exitedAfterDisconnect, true);
  }
}

async function events(test: Test): Promise<void> {
  const worker = fork(anywhere);
  const onWorker = once(worker, 'listening');
  const onCluster = once(cluster, 'listening');
  const [address] = (await onWorker) as [{ address: string; port: number; addressType: number }];
  const [same] = (await onCluster) as [typeof worker];
  test.match(address, { address: host, addressType: 4 });
  test.ok(address.port > 0);
  test.equal(same, worker);
  const exited = once(worker, 'exit');
  worker.kill();
  test.strictSame(await exited, [null, 'SIGTERM']);
}

async function addressInUse(test: Test): Promise<void> {
  const other = nodeNet.createServer();
  const port = await listenOn(other);
  const worker = fork({ port, host });
  const [message] = (await once(worker, 'message')) as [{ error: object }];
  test.match(message.error, { code: 'EADDRINUSE' });
  await closeServer(other);
}

async function listenTwice(test: Test): Promise<void> {
  const worker = cluster.fork({ WORKER_LISTEN_TWICE: '1' });
  test.strictSame((await once(worker, 'message'))[0], { listening: 1 });
}

async function closeAtOnce(test: Test): Promise<void> {
  const worker = cluster.fork({ WORKER_CLOSE_AT_ONCE: '1' });
  test.strictSame((await once(worker, 'message'))[0], { told: 'close' });
}

async function path(test: Test): Promise<void> {
  const name = join(tmpdir(), `iocp-net-${process.pid}.sock`);
  const ready = Promise.all(
    [fork({ path: name }), fork({ path: name })].map((worker) => once(worker, 'message')),
  );
  await ready;
  const counts = countByWorker(await askOften({ path: name }, 40, 2));
  test.equal(counts.size, 2);
  rmSync(name, { force: true });
}

/** `onCore`: whether the connections of shared ports are on the core here. */
export function clusterCases(t: Test, onCore: boolean): void {
  const isWindows = process.platform === 'win32';
  const add = (
    name: string,
    run: (test: Test) => Promise<void>,
    options: { skip?: string | false } = {},
  ): void => {
    t.test(name, options, async (test) => {
      await run(test);
      await endAll();
    });
  };
  add('four workers share a port evenly', (test) => everyWorkerAccepts(test, onCore));
  add('server.close() in one worker', closeInOneWorker);
  add('a worker closes while a connection waits for it', closeWithOneWaiting);
  add('a worker crashes and another takes its place', crashAndRestart);
  add('exclusive: true', exclusive);
  add('worker.disconnect()', disconnect);
  add("'listening' and worker.kill()", events);
  add('an address in use', addressInUse);
  add('listen() twice in one tick', listenTwice);
  add('listen() and close() in one tick', closeAtOnce);
  add('a path', path, { skip: isWindows && 'a named pipe is not shared in Wine' });
}

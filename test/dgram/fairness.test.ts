/**
 * A flood of datagrams and a connection on one port: how many datagrams are delivered while a message
 * on the connection waits. It is counted, so that it does not depend on how busy the machine is.
 */
import t, { type Test } from 'tap';
import { engine } from 'iocp-net/engine';
import { entryFile, run } from '../support/child';

t.setTimeout(180_000);

const SOCKETS = 8;
/** Datagrams for each with each message: more than are received with one call. */
const EACH = 70;
/** Of a listener, in milliseconds. */
const WORK_MS = 0.1;
const MESSAGES = 4;

/**
 * The first message is there with all datagrams when the event loop comes around; each of the others
 * arrives during the callback of a datagram. Prints how many datagrams came before each.
 */
const program = (net: string, dgram: string): string => `
  const net = require(${JSON.stringify(net)});
  const dgram = require(${JSON.stringify(dgram)});
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  const [AWAITED, ASKED, DONE] = [0, 1, 2];
  const flag = new Int32Array(new SharedArrayBuffer(4));

  /** The worker sends all that, while this thread does nothing. */
  const askWorker = () => {
    Atomics.store(flag, 0, ASKED);
    Atomics.notify(flag, 0);
    Atomics.wait(flag, 0, ASKED);
  };

  const worker = \`
    const { once } = require('node:events');
    const { workerData: { flag, tcp, ports } } = require('node:worker_threads');
    const asked = () => {
      while (Atomics.load(flag, 0) !== \${ASKED}) Atomics.wait(flag, 0, Atomics.load(flag, 0));
    };
    const done = () => {
      Atomics.store(flag, 0, \${DONE});
      Atomics.notify(flag, 0);
    };
    (async () => {
      const connection = require('node:net').connect(tcp, '127.0.0.1').setNoDelay();
      await once(connection, 'connect');
      const socket = require('node:dgram').createSocket('udp4');
      for (let i = 0; i < ${MESSAGES}; i++) {
        asked();
        for (let left = ${EACH}; left > 0; left--) {
          const send = (port) => new Promise((sent) => socket.send('x', port, '127.0.0.1', sent));
          await Promise.all(ports.map(send));
        }
        connection.write('x');
        done();
      }
    })();
  \`;

  let [since, isUnderWay] = [0, true];
  const counts = [];
  const next = () => {
    if (isUnderWay) return;
    since = 0;
    isUnderWay = true;
    askWorker();
  };
  const work = () => {
    since++;
    next();
    const end = performance.now() + ${WORK_MS};
    while (performance.now() < end);
  };
  const hear = () => {
    counts.push(since);
    isUnderWay = false;
    // Where all datagrams came before the message, or were lost, none brings the next.
    if (counts.length < ${MESSAGES}) return setTimeout(next, 50);
    console.log(JSON.stringify(counts));
    process.exit();
  };

  (async () => {
    const ports = [];
    for (let i = 0; i < ${SOCKETS}; i++) {
      const socket = dgram.createSocket('udp4', work).bind(0, '127.0.0.1');
      await once(socket, 'listening');
      ports.push(socket.address().port);
    }
    const server = net.createServer((peer) => {
      peer.on('data', hear);
      setImmediate(askWorker);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    new Worker(worker, { eval: true, workerData: { flag, tcp: server.address().port, ports } });
  })();`;

async function counted(test: Test, net: string, dgram: string): Promise<number[]> {
  const { stdout, stderr } = await run(program(net, dgram), 60_000);
  test.equal(stderr, '');
  return JSON.parse(stdout) as number[];
}

const onCore = { skip: engine.backend === 'node' && 'node:dgram decides there' };

t.test('a message on a connection does not wait for a flood', onCore, async (test) => {
  const node = await counted(test, 'node:net', 'node:dgram');
  const ours = await counted(test, entryFile('net'), entryFile('dgram'));
  const all = `${ours.join()} datagrams before each message; with node:net ${node.join()}`;
  const [before, ...meanwhile] = ours as [number, ...number[]];
  test.equal(before, 0, all);
  // What a turn of datagrams may take at most, and the one that was being delivered.
  for (const count of meanwhile) test.ok(count <= 5 / WORK_MS + 2, all);
  test.ok(Math.max(...meanwhile) < Math.max(...node), all);
});

/** Who drives the port, and what programs see of it: nothing but their bytes, and the engine's counts. */
import t from 'tap';
import { run } from '../support/child';
import { onWindows } from '../support/local';

const pairOf = (helper: string): string => `
  const net = require('iocp-net');
  const { engine } = require('iocp-net/engine');
  const nodeNet = require('node:net');
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  engine.configure({ helper: '${helper}' });
`;

/**
 * A client in a worker of its own reads 32 MiB that are written before a second of computing. It
 * ends by itself: Node 24 may hang in process.exit() while V8 compiles (nodejs/node#54918), as it
 * does here on node:net, too.
 */
const computing = (helper: string): string => `
  ${pairOf(helper)}
  const reader = \`
    const nodeNet = require('node:net');
    const { parentPort, workerData: { port, count } } = require('node:worker_threads');
    let bytes = 0;
    nodeNet.connect(port, '127.0.0.1').on('data', (chunk) => {
      bytes += chunk.length;
      Atomics.store(count, 0, bytes);
    });
  \`;
  const whole = 32 << 20;
  const count = new Int32Array(new SharedArrayBuffer(4));
  const server = net.createServer((socket) => {
    socket.write(Buffer.alloc(whole));
    const end = Date.now() + 1000;
    while (Date.now() < end && Atomics.load(count, 0) < whole);
    const arrived = Atomics.load(count, 0) === whole;
    // The helper's turns are counted when it has given the drive back.
    setTimeout(() => {
      console.log(arrived, engine.stats().helperTurns > 0);
      socket.destroy();
      server.close();
      worker.terminate();
    }, 20);
  });
  let worker;
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    worker = new Worker(reader, { eval: true, workerData: { port, count } });
  });
`;

const hasHelper = process.platform === 'win32' || process.env['IOCP_NET_BACKEND'] !== 'io_uring';

t.test('what was written leaves while JavaScript computes', { skip: !hasHelper }, async (test) => {
  const { stdout } = await run(computing('auto'), 30_000);
  test.equal(stdout.trim(), 'true true');
});

t.test('but not without the helper', async (test) => {
  const { stdout } = await run(computing('never'), 30_000);
  // On Windows the system goes on by itself with what it was given.
  const arrived = onWindows ? /^(true|false) false$/ : /^false false$/;
  test.match(stdout.trim(), arrived);
});

const echo = (options: string): string => `
  const net = require('iocp-net');
  const { engine } = require('iocp-net/engine');
  engine.configure(${options});
  const server = net.createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    let left = 20;
    socket.on('data', () => {
      if (--left > 0) return socket.write('again');
      console.log(engine.stats().ports.length, engine.stats().consumerWakeups > 0);
      socket.end();
      server.close();
    });
    socket.write('once');
  });
`;

for (const [options, ports, isWoken] of [
  ['{}', 1, false],
  ["{ helper: 'never' }", 1, false],
  ["{ helper: 'always' }", 1, true],
  ['{ ports: 2 }', 2, true],
] as const) {
  t.test(`an echo, and the end of the process, with ${options}`, async (test) => {
    const { code, stdout } = await run(echo(options), 30_000);
    test.strictSame([code, stdout.trim()], [0, `${ports} ${isWoken}`]);
  });
}

t.test('options that do not go together are refused', async (test) => {
  const { stdout } = await run(`
    const { engine } = require('iocp-net/engine');
    for (const options of [{ helper: 'sometimes' }, { helper: 'auto', ports: 2 }]) {
      try { engine.configure(options); } catch ({ code }) { console.log(code); }
    }
  `);
  test.equal(stdout.trim(), 'ERR_INVALID_ARG_VALUE\nERR_INVALID_ARG_VALUE');
});

const utilization = (name: string): string => `
  const net = require('${name}');
  const { performance } = require('node:perf_hooks');
  const server = net.createServer(() => {}).listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    socket.on('connect', () => {
      const before = performance.eventLoopUtilization();
      const idle = performance.nodeTiming.idleTime;
      setTimeout(() => {
        const { utilization } = performance.eventLoopUtilization(before);
        console.log(utilization < 0.5, performance.nodeTiming.idleTime - idle > 100);
        process.exit();
      }, 300);
    });
  });
`;

for (const name of ['node:net', 'iocp-net']) {
  t.test(`an event loop that waits is idle, with ${name}`, async (test) => {
    const { stdout } = await run(utilization(name), 30_000);
    test.equal(stdout.trim(), 'true true');
  });
}

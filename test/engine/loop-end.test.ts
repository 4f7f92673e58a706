/** The event loop waits in our port; how it ends. */
import t from 'tap';
import { load, run } from '../support/child';

/** Starting a process takes seconds under Wine. */
const SLOWEST_MS = 100_000;
t.setTimeout(SLOWEST_MS);

/** Ways to end while the loop waits in the port. */
const endings: Record<string, { program: string; code: number }> = {
  'process.exit() in a timer': { program: 'setTimeout(() => process.exit(7), 50)', code: 7 },
  'process.exit() in a listener': {
    program: "socket.on('data', () => process.exit(8)); peer.write('x')",
    code: 8,
  },
  'an error that nobody catches': { program: "setTimeout(() => { throw 'x'; }, 50)", code: 1 },
  'nothing is left to do': {
    program: 'socket.destroy(); peer.destroy(); server.close()',
    code: 0,
  },
  'only what is unreferenced is left': {
    program: 'socket.unref(); peer.unref(); server.unref()',
    code: 0,
  },
};

const opened = (program: string): string => `${load('net')}
const server = net.createServer().listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1');
  server.once('connection', (peer) => { ${program}; });
});`;

for (const [name, { program, code }] of Object.entries(endings)) {
  t.test(`the end: ${name}`, async (test) => {
    const inMain = await run(opened(program), SLOWEST_MS);
    test.strictSame({ code: inMain.code, signal: inMain.signal }, { code, signal: null });
    const worker = await run(
      `const { Worker } = require('node:worker_threads');
      new Worker(${JSON.stringify(opened(program))}, { eval: true, stderr: true })
        .on('error', () => {})
        .on('exit', (code) => console.log('exit', code));`,
      SLOWEST_MS,
    );
    test.equal(worker.stdout, `exit ${code}\n`);
    test.equal(worker.code, 0);
  });
}

t.test('terminate() of a worker whose loop waits in the port', async (test) => {
  const { code, stdout } = await run(
    `const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    (async () => {
      for (let round = 0; round < 5; round++) {
        const worker = new Worker(${JSON.stringify(opened("require('node:worker_threads').parentPort.postMessage('x')"))}, { eval: true });
        await once(worker, 'message');
        await new Promise((done) => setTimeout(done, 20 * round));
        console.log(await worker.terminate());
      }
    })();`,
    SLOWEST_MS,
  );
  test.equal(code, 0);
  test.equal(stdout, '1\n'.repeat(5));
});

/** What workers leave behind that have used sockets and are gone. */
import t from 'tap';
import { run } from '../support/child';
import { loadNet } from '../support/lifecycle';

const WORKERS = 200;
const MOST_MEMORY = 1.3; // of node:net's

t.setTimeout(240_000);

/** Bytes that a process holds after so many workers that have each served a connection. */
async function memoryAfterWorkers(isOurs: boolean): Promise<number> {
  const worker = `${loadNet(isOurs)}
    const server = net.createServer((peer) => peer.pipe(peer)).listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      client.write('x');
      client.once('data', () => { client.destroy(); server.close(); });
    });`;
  const { code, stdout, stderr } = await run(
    `
    const { Worker } = require('node:worker_threads');
    let started = 0;
    let running = 0;
    const next = () => {
      for (; running < 2 && started < ${WORKERS}; started++, running++) {
        new Worker(${JSON.stringify(worker)}, { eval: true }).on('exit', (code) => {
          if (code !== 0) process.exit(code);
          running--;
          next();
        });
      }
      if (running > 0) return;
      gc();
      console.log(process.memoryUsage.rss());
    };
    next();`,
    110_000,
    { execArgv: ['--expose-gc'] },
  );
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  return Number(stdout);
}

t.test(`${WORKERS} workers leave no more memory behind than with node:net`, async (test) => {
  const expected = await memoryAfterWorkers(false);
  const actual = await memoryAfterWorkers(true);
  test.comment(`${Math.round(actual / 1024)} KiB, node:net ${Math.round(expected / 1024)} KiB`);
  test.ok(actual < expected * MOST_MEMORY, `${actual} bytes, node:net ${expected}`);
});

import t from 'tap';
import { existsSync } from 'node:fs';
import { load, run } from '../support/child';
import { localPath, onWindows } from '../support/local';

/** A program with a server at a path and a connection to it that has more to send than is read. */
const busy = (path: string, then: string): string =>
  `${load('net')}
   const server = net.createServer((socket) => socket.pause()).listen(${JSON.stringify(path)}, () => {
     const client = net.connect(${JSON.stringify(path)}, () => {
       client.write(Buffer.alloc(4 << 20));
       client.end();
       net.connect(${JSON.stringify(path)}).end('x');
       setTimeout(() => { ${then} }, 30);
     });
   });`;

t.test('process.exit() with everything under way', async (test) => {
  const ended = await run(busy(localPath(), "console.log('exits'); process.exit(3);"));
  test.strictSame([ended.code, ended.stdout, ended.stderr], [3, 'exits\n', '']);
});

t.test('a worker that is terminated with everything under way', async (test) => {
  const path = localPath();
  const inWorker = busy(path, "require('node:worker_threads').parentPort.postMessage('busy');");
  const ended = await run(
    `const { Worker } = require('node:worker_threads');
     const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true });
     worker.on('message', () => worker.terminate());
     worker.on('exit', () => console.log('over'));`,
  );
  test.strictSame([ended.code, ended.stdout, ended.stderr], [0, 'over\n', '']);
  if (!onWindows) test.notOk(existsSync(path), 'its socket file is gone');
});

t.test('unreferenced connections let the process end', async (test) => {
  const path = JSON.stringify(localPath());
  const ended = await run(
    `${load('net')}
     const server = net.createServer((socket) => socket.unref().resume()).listen(${path}, () => {
       const client = net.connect(${path}, () => console.log('connected'));
       client.resume();
       client.once('connect', () => { client.unref(); server.unref(); });
     });`,
  );
  test.strictSame([ended.code, ended.stdout], [0, 'connected\n']);
});

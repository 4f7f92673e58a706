import t from 'tap';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as net from 'iocp-net';
import { load } from '../support/child';
import { closing, quiet, delay } from '../support/sockets';

const echoServer = `${load('net')}
const { parentPort } = require('node:worker_threads');
const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => socket.write(chunk));
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
parentPort.on('message', () => { server.close(); parentPort.close(); });
`;

async function startWorker(): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(echoServer, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  return { worker, port };
}

t.test('a worker has its own ports and ends by itself', async (test) => {
  const { worker, port } = await startWorker();
  const client = net.connect(port, '127.0.0.1');
  client.write('hello');
  const [chunk] = (await once(client, 'data')) as [Buffer];
  test.equal(String(chunk), 'hello');
  client.destroy();
  await closing(client);
  const exit = once(worker, 'exit');
  worker.postMessage('stop');
  test.strictSame(await exit, [0]);
});

t.test('terminate() under load', async (test) => {
  for (let round = 0; round < 5; round++) {
    const { worker, port } = await startWorker();
    const clients = Array.from({ length: 20 }, () => {
      const client = net.connect(port, '127.0.0.1');
      quiet(client);
      client.on('data', (chunk: Buffer) => client.write(chunk));
      client.write(Buffer.alloc(10_000));
      return closing(client);
    });
    await delay(50 + round * 10);
    await worker.terminate();
    await Promise.all(clients);
  }
  test.pass('five workers ended, all their connections with them');
});

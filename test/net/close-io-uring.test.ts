/** Its accepts are cancelled by requests, whose ends are to be there when `close()` returns. */
import t from 'tap';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { closed, listen } from '../support/sockets';

process.env['IOCP_NET_BACKEND'] = 'io_uring'; // read with the first socket

const skip = engine.backend !== 'io_uring' && 'there is no io_uring here';
const ROUNDS = 20;

t.test('nobody is let in when close() has returned', { skip }, async (test) => {
  for (let round = 0; round < ROUNDS; round++) {
    const server = net.createServer();
    const port = await listen(server);
    server.close();
    const client = net.connect(port, '127.0.0.1');
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    test.equal(error.code, 'ECONNREFUSED');
    await closed(client);
  }
});

t.test('the port is free in the tick of close()', { skip }, async (test) => {
  let server = net.createServer();
  const port = await listen(server);
  for (let round = 0; round < ROUNDS; round++) {
    server.close();
    test.equal(engine.stats().listenersOpen, 0);
    server = net.createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  server.close();
});

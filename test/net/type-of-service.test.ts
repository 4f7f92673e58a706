import t from 'tap';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { closed, closeServer, connectedPair, listen } from '../support/sockets';

/** Node 24.15 and 26 have these. */
type Socket = nodeNet.Socket & {
  setTypeOfService(value: unknown): Socket;
  getTypeOfService(): number;
};

const exists = 'setTypeOfService' in net.Socket.prototype;
const isWindows = process.platform === 'win32';

if (!exists) {
  t.pass('this Node does not know the type of service');
} else {
  for (const host of ['127.0.0.1', '::1']) {
    sameAsNode(t, `asked for before and after connecting to ${host}`, async ({ net, log }) => {
      const server = net.createServer();
      const port = await listen(server, host);
      const accepted = once(server, 'connection');
      const client = net.connect({ port, host, typeOfService: 0x10 } as never) as Socket;
      await once(client, 'connect');
      log('connected', client.getTypeOfService());
      log(client.setTypeOfService(0x20) === client, client.getTypeOfService());
      const [peer] = (await accepted) as [Socket];
      log('accepted', peer.getTypeOfService());
      await Promise.all([closed(client), closed(peer)]);
      log('closed', client.getTypeOfService());
      await closeServer(server);
    });
  }

  t.test('the system has what was asked for', { skip: isWindows }, async (test) => {
    const { client, close } = await connectedPair(net, {
      client: { typeOfService: 0x10 },
    });
    test.equal((client as Socket).getTypeOfService(), 0x10);
    (client as Socket).setTypeOfService(0x28);
    test.equal((client as Socket).getTypeOfService(), 0x28);
    await close();
  });

  sameAsNode(t, 'a socket without a connection keeps it', async ({ net, log }) => {
    const socket = new net.Socket() as Socket;
    log(socket.getTypeOfService());
    socket.setTypeOfService(8);
    log(socket.getTypeOfService());
    const server = net.createServer((peer) => peer.resume());
    const port = await listen(server);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    log(socket.getTypeOfService());
    await closed(socket);
    await closeServer(server);
  });

  for (const value of [-1, 256, 1.5, NaN, '1', null]) {
    sameAsNode(t, `bad values: ${String(value)}`, async ({ net, log }) => {
      const attempts = [
        () => (new net.Socket() as Socket).setTypeOfService(value),
        () => new net.Socket({ typeOfService: value } as never),
      ];
      for (const attempt of attempts) {
        try {
          attempt();
          log('taken');
        } catch (error) {
          log(error);
        }
      }
    });
  }
}

import t from 'tap';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { closed, closeServer, listen, quiet } from '../support/sockets';

/** Newer Nodes have it; the running one's types may not. */
interface BoundSocket {
  address(): nodeNet.AddressInfo;
  close(): void;
}
type Net = { BoundSocket: new (options: object) => BoundSocket };

const bound = (module: object, options: object): BoundSocket =>
  new (module as Net).BoundSocket(options);

if ((net as object as Partial<Net>).BoundSocket === undefined) {
  t.pass('this Node has no BoundSocket');
} else {
  sameAsNode(t, 'a server listens on a bound socket', async ({ net: module, log }) => {
    const source = bound(module, { host: '127.0.0.1', port: 0 });
    const { port } = source.address();
    const server = module.createServer((peer) => peer.end('hello'));
    server.listen(source as never);
    await once(server, 'listening');
    log((server.address() as nodeNet.AddressInfo).port === port);
    try {
      source.address();
    } catch (error) {
      log(error);
    }
    const client = module.connect(port, '127.0.0.1');
    const [chunk] = (await once(client, 'data')) as [Buffer];
    log(String(chunk));
    await closed(client);
    await closeServer(server);
  });

  sameAsNode(t, 'a client connects from a bound socket', async ({ net: module, log }) => {
    const server = module.createServer((peer) => quiet(peer).end(String(peer.remotePort)));
    const serverPort = await listen(server);
    const source = bound(module, { host: '127.0.0.1', port: 0 });
    const { port } = source.address();
    const client = new module.Socket({ handle: source } as never);
    client.connect(serverPort, '127.0.0.1');
    await once(client, 'connect');
    const [chunk] = (await once(client, 'data')) as [Buffer];
    log(Number(String(chunk)) === port, client.localPort === port);
    await closed(client);
    await closeServer(server);
  });

  sameAsNode(t, 'a port that is taken', async ({ net: module, log }) => {
    const first = bound(module, { host: '127.0.0.1', port: 0 });
    const server = module.createServer().listen(first as never);
    await once(server, 'listening');
    const { port } = server.address() as nodeNet.AddressInfo;
    try {
      bound(module, { host: '127.0.0.1', port });
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      log(code, syscall);
    }
    await closeServer(server);
  });
}

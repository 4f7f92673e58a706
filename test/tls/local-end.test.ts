/** Clients of `tls`, `https` and `http2` that say from where they connect. */
import t from 'tap';
import { once } from 'node:events';
import * as nodeHttp2 from 'node:http2';
import * as nodeHttps from 'node:https';
import * as nodeTls from 'node:tls';
import type { AddressInfo, TcpNetConnectOpts } from 'node:net';
import * as http2 from 'iocp-net/http2';
import * as https from 'iocp-net/https';
import * as tls from 'iocp-net/tls';
import * as net from 'iocp-net';
import { certificate } from '../support/certificate';
import { describe } from '../support/compare';
import { closing, closeServer, quiet, unusedPort } from '../support/sockets';

const nodes = { tls: nodeTls, https: nodeHttps, http2: nodeHttp2 };
type Modules = typeof nodes;
const ours = { tls, https, http2 } as unknown as Modules;

type Run = (modules: Modules, port: number, localPort: number) => Promise<unknown>;

/** A subtest: against a server that echoes, and from a port that is free. */
function sameAsNode(name: string, run: Run): void {
  t.test(name, async (test) => {
    const server = nodeTls.createServer({ ...certificate, ALPNProtocols: ['h2'] });
    server.on('secureConnection', (socket) => quiet(socket).pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const results = [];
    for (const modules of [nodes, ours]) {
      results.push(describe(await run(modules, port, await unusedPort(net))));
    }
    test.strictSame(results[1], results[0]);
    await closeServer(server);
  });
}

const insecure = { host: '127.0.0.1', rejectUnauthorized: false };

/** Where a client that connects says that it comes from. */
async function fromWhere(
  tls: typeof nodeTls,
  options: nodeTls.ConnectionOptions & Pick<TcpNetConnectOpts, 'localAddress' | 'localPort'>,
): Promise<unknown> {
  const socket = quiet(tls.connect({ ...insecure, ...options }));
  const what = await once(socket, 'secureConnect').then(
    () => [socket.localAddress, socket.localPort === options.localPort],
    (error: Error) => String(error).replace(/\d{4,}/g, 'port'),
  );
  socket.destroy();
  await closing(socket);
  return what;
}

sameAsNode('tls.connect() from a port', ({ tls: module }, port, localPort) =>
  fromWhere(module, { port, localPort }),
);

sameAsNode('tls.connect() from an address', ({ tls: module }, port) =>
  fromWhere(module, { port, localAddress: '127.0.0.2' }),
);

sameAsNode('tls.connect() from both', ({ tls: module }, port, localPort) =>
  fromWhere(module, { port, localAddress: '127.0.0.3', localPort }),
);

sameAsNode('tls.connect() from a port, to a name', ({ tls: module }, port, localPort) => {
  const to = { host: 'localhost', family: 4, autoSelectFamily: false };
  return fromWhere(module, { ...to, port, localPort });
});

sameAsNode('tls.connect() from a port that is in use', ({ tls: module }, port) =>
  fromWhere(module, { port, localPort: port }),
);

sameAsNode("tls.connect() from nobody's address", ({ tls: module }, port) =>
  fromWhere(module, { port, localAddress: '192.0.2.1' }),
);

sameAsNode('tls.connect() from an address of the other family', ({ tls: module }, port) =>
  fromWhere(module, { port, localAddress: '::1' }),
);

sameAsNode('http2.connect() from a port', async ({ http2: module }, port, localPort) => {
  const options = { ...insecure, localPort } as nodeHttp2.SecureClientSessionOptions;
  const session = quiet(module.connect(`https://127.0.0.1:${port}`, options));
  const [, socket] = (await once(session, 'connect')) as [unknown, nodeTls.TLSSocket];
  const result = socket.localPort === localPort;
  session.destroy();
  await closing(socket);
  return result;
});

t.test('https.request() from a port', async (test) => {
  for (const module of [nodeHttps, https as unknown as typeof nodeHttps]) {
    const server = nodeHttps.createServer(certificate, ({ socket }, response) => {
      response.end(String(socket.remotePort));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const localPort = await unusedPort(net);
    const options = { ...insecure, port, localPort, agent: false };
    const request = module.request(options as nodeHttps.RequestOptions).end();
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    test.equal(body, String(localPort));
    await closeServer(server);
  }
});

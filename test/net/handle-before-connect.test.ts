/** A handle before it connects: binding, addresses and options, one after the other. */
import t from 'tap';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import type { Scenario } from '../support/compare';
import { closed, closeServer, closing, listen, quiet } from '../support/sockets';

interface Handle {
  fd: number;
  bind(address: string, port: number): number;
  bind6(address: string, port: number): number;
  getsockname(out: object): number;
  getpeername(out: object): number;
  setNoDelay(enable: boolean): number;
  setKeepAlive(enable: boolean, delay: number): number;
  setTypeOfService?(value: number): number;
  getTypeOfService?(): number;
}

type Use = (handle: Handle, socket: nodeNet.Socket, port: number) => void;

/** Looks at the handle of a socket that is about to connect, and lets it connect. */
function beforeConnecting(name: string, run: (scenario: Scenario) => Use): void {
  sameAsNode(t, name, async (scenario) => {
    const server = scenario.net.createServer((peer) => peer.resume());
    const port = await listen(server);
    const client = quiet(scenario.net.connect({ port, host: '127.0.0.1' }));
    const { _handle: handle } = client as unknown as { _handle: Handle };
    const use = run(scenario);
    use(handle, client, port);
    await Promise.race([once(client, 'connect'), closing(client)]);
    await closed(client);
    await closeServer(server);
  });
}

const boundTo = (handle: Handle): object => {
  const at = {} as nodeNet.AddressInfo;
  const answer = handle.getsockname(at);
  return { answer, address: at.address, family: at.family, hasPort: at.port > 0 };
};

beforeConnecting('not bound', ({ log }) => (handle) => {
  log(handle.getsockname({}), handle.getpeername({}), handle.fd);
  log(handle.setNoDelay(true), handle.setKeepAlive(true, 5));
  log(handle.setTypeOfService?.(16) === handle.getTypeOfService?.());
});

beforeConnecting('bound to a free port', ({ log }) => (handle) => {
  log(handle.bind('127.0.0.1', 0), boundTo(handle));
  log(process.platform === 'win32' || handle.fd > 2);
  log(handle.bind('127.0.0.1', 0));
});

beforeConnecting('what cannot be bound', ({ log }) => (handle) => {
  log(handle.bind('::1', 0), handle.bind6('127.0.0.1', 0), handle.bind('', 0));
  log(handle.bind('192.0.2.1', 0));
});

beforeConnecting('bound to the port of a server', ({ log }) => (handle, client, port) => {
  log(handle.bind('127.0.0.1', port), handle.getsockname({}));
  client.destroy();
});

beforeConnecting('bound, and then closed', ({ log }) => (handle, client) => {
  log(handle.bind('127.0.0.1', 0));
  client.destroy();
  log(handle.getsockname({}));
});

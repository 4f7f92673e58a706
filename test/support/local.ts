/** Local sockets for tests: a path of this platform's kind, and pairs connected by it. */
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closed, closeServer, closing } from './sockets';
import type { Net, Pair } from './sockets';

export const onWindows = process.platform === 'win32';

let made = 0;

/** A path that nobody else uses: a pipe's name on Windows, else a file in the temporary folder. */
export function localPath(): string {
  const name = `iocp-net-${process.pid}-${++made}`;
  return onWindows ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

export async function listenAt(server: nodeNet.Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}

export interface LocalPairOptions {
  server?: nodeNet.ServerOpts;
  client?: Partial<nodeNet.IpcNetConnectOpts>;
}

export async function localPair(
  net: Net,
  path: string,
  options: LocalPairOptions = {},
): Promise<Omit<Pair, 'port'>> {
  const server = net.createServer(options.server ?? {});
  await listenAt(server, path);
  const accepted = once(server, 'connection');
  const client = net.connect({ path, ...options.client });
  const connected = once(client, 'connect');
  const [peer] = (await accepted) as [nodeNet.Socket];
  await connected;
  void closing(client);
  void closing(peer);
  const close = async (): Promise<void> => {
    await Promise.all([closed(client), closed(peer), closeServer(server)]);
  };
  return { server, client, peer, close };
}

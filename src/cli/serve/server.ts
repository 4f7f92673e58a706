/** The server of `iocp-net serve`, on the core. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { engine } from '../../engine';
import { createServer } from '../../http/index';
import { respond, type ServeOptions } from './respond';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
}

/** Listens, says where, and ends with Ctrl-C. */
export async function serve(options: ServeOptions, where: ListenOptions): Promise<number> {
  const server = createServer((request, response) => {
    respond(options, request, response).catch((error: NodeJS.ErrnoException) => {
      // A client that goes away is nobody's fault.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(`iocp-net: ${error.message}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  server.listen(where);
  await once(server, 'listening');
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  console.log(`${options.folder.root} at http://${host}:${port}/ on ${engine.backend}`);
  const closed = once(server, 'close');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, close);
  await closed;
  return 0;
}

/**
 * The endpoint of `engine.openEndpoint()` and `IOCP_NET_ENDPOINT`: a local socket that answers each
 * line `stats` with a line of JSON, and knows nothing else. Served by Node's own `net`, so that what
 * it does is not among what it counts; neither it nor its connections hold the event loop.
 */
import { once } from 'node:events';
import { chmodSync, linkSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as nodeNet from '../net/node/node-net';
import { pathToOpen, requestedPath } from './endpoint-path';
import { takeSnapshot, type ObservedEngine } from './snapshot';

export interface EngineEndpoint {
  /** The socket file or pipe. */
  readonly path: string;
  /** Ends it and its connections; the file is gone then. */
  close(): Promise<void>;
}

/** A request, and the room for some that come at once. */
export const REQUEST = 'stats';
const LONGEST_REQUESTS = 64;
const MOST_CLIENTS = 8;
const IDLE_MS = 60_000;
/** The least that every system takes as the path of a socket. */
const LONGEST_PATH = 103;

const onWindows = process.platform === 'win32';

function serve(client: nodeNet.Socket, answer: () => string): void {
  let pending = '';
  client.unref();
  client.setEncoding('latin1');
  client.setTimeout(IDLE_MS, () => client.destroy());
  client.on('error', () => {}); // it has gone, and nobody else minds
  client.on('data', (text: string) => {
    pending += text;
    if (pending.length > LONGEST_REQUESTS) return void client.destroy();
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    const answers = lines.map((line) =>
      line.trim() === REQUEST ? answer() : JSON.stringify({ error: `the request is ${REQUEST}` }),
    );
    if (answers.length === 0 || client.write(`${answers.join('\n')}\n`)) return;
    // Who does not read gets no more answers.
    client.pause();
    client.once('drain', () => client.resume());
  });
}

async function listen(server: nodeNet.Server, path: string): Promise<void> {
  // Exclusive: a worker of a cluster would share it with all others.
  server.listen({ path, exclusive: true });
  server.unref();
  await once(server, 'listening');
}

/** Whether somebody listens there. */
function isAnswered(path: string): Promise<boolean> {
  const client = new nodeNet.Socket();
  const answered = new Promise<boolean>((resolve) => {
    client.once('connect', () => resolve(true));
    client.once('error', () => resolve(false));
  });
  client.connect({ path });
  return answered.finally(() => client.destroy());
}

/** The file gets this name, too, unless somebody listens under it. */
async function claim(from: string, path: string): Promise<void> {
  try {
    linkSync(from, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!statSync(path, { throwIfNoEntry: false })?.isSocket() || (await isAnswered(path))) {
      const taken = new Error(`${path} is in use`);
      throw Object.assign(taken, { code: 'EADDRINUSE' });
    }
    rmSync(path, { force: true }); // of a process that was killed
    linkSync(from, path);
  }
}

/**
 * Listens under a name that nobody can reach before its mode is right: in a folder that only this
 * user can enter, from which it is linked to where it belongs.
 */
async function listenPrivately(server: nodeNet.Server, path: string): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), '.iocp-'));
  try {
    const hidden = join(folder, 's');
    if (Math.max(Buffer.byteLength(hidden), Buffer.byteLength(path)) > LONGEST_PATH) {
      throw Object.assign(new Error(`${path} is too long for a socket`), { code: 'ENAMETOOLONG' });
    }
    await listen(server, hidden);
    chmodSync(hidden, 0o600);
    await claim(hidden, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function opened(
  server: nodeNet.Server,
  clients: Set<nodeNet.Socket>,
  path: string,
): EngineEndpoint {
  const inode = onWindows ? null : statSync(path).ino;
  const remove = (): void => {
    // Another may be in its place.
    if (inode === null || statSync(path, { throwIfNoEntry: false })?.ino !== inode) return;
    rmSync(path, { force: true });
  };
  process.once('exit', remove);
  return {
    path,
    async close() {
      process.off('exit', remove);
      remove();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

/** Opens it; rejects with the reason where it cannot be opened. */
export async function openEndpoint(
  given: unknown,
  engine: ObservedEngine,
  version: string,
): Promise<EngineEndpoint> {
  const path = pathToOpen(given);
  const clients = new Set<nodeNet.Socket>();
  const server = new nodeNet.Server((client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    serve(client, () => JSON.stringify(takeSnapshot(engine, version)));
  });
  server.maxConnections = MOST_CLIENTS;
  try {
    await (onWindows ? listen(server, path) : listenPrivately(server, path));
  } catch (error) {
    server.close();
    throw error;
  }
  server.on('error', () => {}); // an accept that failed: the next may do
  return opened(server, clients, path);
}

/** For `IOCP_NET_ENDPOINT`: what goes wrong is a warning. */
export function openRequestedEndpoint(
  value: string,
  engine: ObservedEngine,
  version: string,
): void {
  const path = requestedPath(value);
  if (path === null) return;
  openEndpoint(path, engine, version).catch((error: Error) => {
    process.emitWarning(`the endpoint ${value} could not be opened: ${error.message}`, {
      type: 'IocpNetWarning',
      code: 'IOCP_NET_ENDPOINT',
    });
  });
}

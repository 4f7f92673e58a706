/** What a soak wears down: an echo server, one on a local socket, and an HTTP server. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as nodeHttp from 'node:http';
import type { Server, Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answer } from '../child';
import { isControl, loadEngine, loadNet, netName } from '../settings';
import { listen, listenEverywhere, until } from '../sockets';
import type { Sample } from '../soak-verdict';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let accepted = 0;
const open = new Set<Socket>();
const delay = monitorEventLoopDelay({ resolution: 10 });

function serve(socket: Socket): void {
  accepted++;
  open.add(socket);
  // Clients reset, and leave in the middle of a message.
  socket.on('error', () => {});
  socket.on('close', () => open.delete(socket));
}

function echo(socket: Socket): void {
  serve(socket);
  socket.pipe(socket);
}

function httpServer(): nodeHttp.Server {
  const name = isControl ? 'node:http' : 'iocp-net/http';
  const http = createRequire(__filename)(name) as typeof nodeHttp;
  const server = http.createServer((request, response) => {
    response.on('error', () => {});
    request.on('error', () => {});
    request.pipe(response);
  });
  return server.on('connection', serve);
}

/** Descriptors of the process; Windows has no list of them to be read. */
function descriptors(): number | null {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : null;
}

let servers: Server[] = [];

answer({
  async start({ path }: { path: string }): Promise<{ echo: number; http: number }> {
    delay.enable();
    const net = loadNet(netName);
    const overTcp = net.createServer(echo);
    const local = net.createServer(echo).listen(path);
    const http = httpServer();
    servers = [overTcp, local, http];
    return { echo: await listenEverywhere(overTcp), http: await listen(http) };
  },

  sample(): Sample {
    const stallMs = delay.max / 1e6;
    delay.reset();
    const { rss } = process.memoryUsage();
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    const stats = isControl ? null : loadEngine().stats();
    return {
      accepted,
      open: open.size,
      rss,
      heap: heapUsed + external,
      descriptors: descriptors(),
      handles: process.getActiveResourcesInfo().length,
      engineSockets: stats === null ? 0 : stats.socketsOpen,
      stallMs,
    };
  },

  /** Whether all connections end once their clients have ended. */
  empty: (): Promise<boolean> => until(() => open.size === 0, 20_000),

  stop: (): Promise<unknown> =>
    Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve)))),
});

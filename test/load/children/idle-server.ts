/** An echo server alone in its process, so that its memory can be told. */
import type { Server } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answer } from '../child';
import { loadNet, type NetName } from '../settings';
import { listen, until } from '../sockets';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let connections = 0;
let errors = 0;
let server: Server;

answer({
  async start({ net }: { net: NetName }): Promise<number> {
    server = loadNet(net).createServer((socket) => {
      connections++;
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('error', () => errors++);
      socket.on('close', () => connections--);
    });
    return listen(server);
  },
  /** Waits until so many are connected; whether it came to that. */
  connected: ({ count }: { count: number }): Promise<boolean> =>
    until(() => connections === count, 20_000),
  memory(): number {
    collectGarbage();
    collectGarbage();
    return process.memoryUsage.rss();
  },
  errors: (): number => errors,
});

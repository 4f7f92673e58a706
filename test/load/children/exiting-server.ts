/** A busy echo server that ends its process inside a listener. */
import { answer } from '../child';
import { loadNet, type NetName } from '../settings';
import { listen } from '../sockets';

interface Start {
  net: NetName;
  /** Messages after which the listener calls process.exit(). */
  after: number;
  code: number;
  where: 'data' | 'connection' | 'write';
}

// Not when the test's connection ends: only by process.exit() in a listener.
answer(
  {
    async start({ net, after, code, where }: Start): Promise<number> {
      let events = 0;
      const count = (event: Start['where']): void => {
        if (event === where && ++events === after) process.exit(code);
      };
      const server = loadNet(net).createServer((socket) => {
        count('connection');
        socket.on('error', () => {});
        socket.on('data', (chunk: Buffer) => {
          count('data');
          // A callback may run at once or later; the exit is to work in both.
          socket.write(chunk, () => count('write'));
        });
      });
      return listen(server);
    },
  },
  () => {},
);

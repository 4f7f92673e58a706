/** Many quiet clients on node:net. */
import { connect, type Socket } from 'node:net';
import { answer } from '../child';
import { LOOPBACK } from '../sockets';

const AT_ONCE = 200;

let clients: Socket[] = [];
let received = 0;
const faults: string[] = [];

function open(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    socket.once('connect', () => resolve(socket));
    socket.on('error', (error) => {
      faults.push(error.message);
      resolve(socket);
    });
    socket.on('data', (chunk) => (received += chunk.length));
  });
}

answer({
  async open({ port, count }: { port: number; count: number }): Promise<string[]> {
    clients = [];
    const openers = Array.from({ length: AT_ONCE }, async () => {
      while (clients.length < count) {
        const place = clients.push(undefined as never) - 1;
        clients[place] = await open(port);
      }
    });
    await Promise.all(openers);
    return faults;
  },
  /** Each sends one message; how many bytes came back in time. */
  async echo({ text, seconds }: { text: string; seconds: number }): Promise<number> {
    received = 0;
    for (const client of clients) client.write(text);
    const expected = clients.length * text.length;
    const deadline = performance.now() + seconds * 1000;
    while (received < expected && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return received;
  },
  async close(): Promise<void> {
    await Promise.all(
      clients.map((client) => {
        const closed = new Promise((resolve) => client.once('close', resolve));
        client.end();
        return closed;
      }),
    );
  },
});

/** Many clients on node:net that arrive at once; each sends one message and waits for it. */
import { connect } from 'node:net';
import { answer } from '../child';
import { LOOPBACK } from '../sockets';
import { bytesAt } from '../stream-bytes';

interface Storm {
  port: number;
  count: number;
  seconds: number;
}

export interface StormResult {
  served: number;
  faults: string[];
  /** From the first connect() until the last message was back. */
  milliseconds: number;
}

const MESSAGE_BYTES = 100;

function visit(port: number, start: number, seconds: number): Promise<string | null> {
  return new Promise((resolve) => {
    const message = bytesAt(start, 0, MESSAGE_BYTES);
    let received = Buffer.alloc(0);
    let stage = 'not connected';
    const socket = connect({ port, host: LOOPBACK });
    const timer = setTimeout(() => {
      resolve(stage);
      socket.destroy();
    }, seconds * 1000);
    socket.on('connect', () => {
      stage = 'not served';
      socket.write(message);
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < MESSAGE_BYTES) return;
      clearTimeout(timer);
      socket.end();
      resolve(received.equals(message) ? null : 'wrong bytes');
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed unserved'));
  });
}

answer({
  async run({ port, count, seconds }: Storm): Promise<StormResult> {
    const started = performance.now();
    const results = await Promise.all(
      Array.from({ length: count }, (_, i) => visit(port, i * 7, seconds)),
    );
    const faults = results.filter((each) => each !== null);
    return {
      served: count - faults.length,
      faults: faults.slice(0, 10),
      milliseconds: performance.now() - started,
    };
  },
});

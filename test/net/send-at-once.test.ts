/**
 * What was written leaves although JavaScript does not come back to its event loop: it computes,
 * waits for another thread, or for a program. Each case is a process of its own.
 */
import t from 'tap';
import { sameAsNode } from '../support/compare';
import { playWriter } from '../support/write-peer';

t.setTimeout(170_000);

const same = (name: string, writer: string): void =>
  sameAsNode(t, name, ({ net }) => playWriter(net, writer));

same('a write is there within 50 ms, while the listener that made it computes', 'latency');
same('each of ten writes is there before the next is made', 'each');
same('one write, then a computation', 'writes data 1 1');
for (const place of ['data', 'crowd', 'connect', 'timer', 'immediate', 'promise']) {
  same(`ten writes, then a computation (${place})`, `writes ${place} 10 1`);
}
same('three hundred writes, then a computation', 'writes data 300 100');
same('a large write, then a computation', 'writes data 1 100000');
same('corked writes, then a computation', 'corked');
same('ten pipelined requests, and the last one’s listener computes', 'pipelined');
same('twenty connections are answered, and the last one’s listener computes', 'manyConnections');
same('a worker that waits for another thread', 'waitingWorker');
same('process.nextTick and timers have been replaced', 'fakedTicks');
same('a write, then a program that is waited for and needs it', 'program data 1 10');
same('of a write that others follow, a program sees all', 'program crowd 3 10');
same('ten writes, then a program that is waited for and needs them', 'program immediate 10 1000');
same('a large write, then a program that is waited for and needs it', 'program timer 1 100000');

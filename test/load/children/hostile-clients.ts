/** Clients on node:net that read nothing, and others that send a byte now and then. */
import { connect, type Socket } from 'node:net';
import { answer } from '../child';
import { LOOPBACK, pause } from '../sockets';

const AT_ONCE = 100;

const readers: Socket[] = [];
const senders: Socket[] = [];

function open(port: number, into: Socket[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: LOOPBACK });
    into.push(socket.setNoDelay().pause());
    socket.once('connect', resolve);
    socket.on('error', reject);
  });
}

async function openAll(port: number, count: number, into: Socket[]): Promise<void> {
  while (into.length < count) {
    const left = Math.min(AT_ONCE, count - into.length);
    await Promise.all(Array.from({ length: left }, () => open(port, into)));
  }
}

answer({
  async open(wanted: { port: number; readers: number; senders: number }): Promise<void> {
    await openAll(wanted.port, wanted.readers, readers);
    await openAll(wanted.port, wanted.senders, senders);
  },
  ask(): void {
    for (const reader of readers) reader.write('r');
  },
  /** Each sends so many bytes, one at a time. */
  async trickle({ bytes, pauseMs }: { bytes: number; pauseMs: number }): Promise<void> {
    for (let sent = 0; sent < bytes; sent++) {
      for (const sender of senders) sender.write('.');
      await pause(pauseMs);
    }
  },
});

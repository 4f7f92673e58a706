import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import packet from 'dns-packet';

/** A query at a time by each of 64 clients. */
export const lanes = 64;

/** Then it is asked again, as resolvers do: a datagram may be lost. */
const AGAIN_MS = 1000;

export async function open({ port }, lane) {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const questions = [{ type: 'A', name: `${lane}.example` }];
  const query = packet.encode({ type: 'query', id: lane, flags: 0, questions });
  return async () => {
    const again = setInterval(() => socket.send(query), AGAIN_MS);
    try {
      socket.send(query);
      const [answer] = await once(socket, 'message');
      if (answer.readUInt16BE(0) !== lane) throw new Error('the answer is another one');
    } finally {
      clearInterval(again);
    }
  };
}

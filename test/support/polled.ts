/** Something that libuv's next poll finds, for certain: what Node's own sockets have received. */
import * as nodeNet from 'node:net';
import { connectedPair } from './sockets';

export interface Polled {
  /** `found` is called from the next poll. */
  next: (found: () => void) => void;
  close: () => Promise<void>;
}

export async function openPolled(): Promise<Polled> {
  const { client, peer, close } = await connectedPair(nodeNet);
  const next = (found: () => void): void => {
    peer.once('data', found);
    client.write('x'); // it is there when this returns
  };
  return { next, close };
}

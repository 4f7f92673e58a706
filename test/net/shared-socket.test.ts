/** Two processes that write to one socket, each after the other: the order at the peer is theirs. */
import t from 'tap';
import { sameAsNode } from '../support/compare';
import { onWindows } from '../support/local';
import { playWriter } from '../support/write-peer';

// A socket is no file descriptor on Windows.
const skip = onWindows ? { skip: 'a socket is no descriptor' } : {};

t.test('writes and those of children with the descriptor', skip, async (test) => {
  for (const place of ['immediate', 'crowd']) {
    sameAsNode(test, `interleave in order (${place})`, ({ net }) =>
      playWriter(net, `sharedSocket ${place}`),
    );
  }
});

/**
 * What was written leaves before the process ends, however it ends and wherever the write was made.
 * Each case is a process of its own; its code or signal and all that came of it are compared.
 */
import t from 'tap';
import { sameAsNode } from '../support/compare';
import { onWindows } from '../support/local';
import { playWriter } from '../support/write-peer';

t.setTimeout(170_000);

const endings = ['exit', 'reallyExit', 'exitListener', 'throw', 'SIGKILL', 'SIGTERM', 'abort'];
/** Wine takes seconds to write down how a program has aborted. */
const played = onWindows ? endings.slice(0, 4) : endings;

for (const [place, writes] of [
  ['data', 10],
  ['crowd', 1],
  ['immediate', 10],
]) {
  for (const ending of played) {
    sameAsNode(t, `${ending} right after write() (${place})`, ({ net }) =>
      playWriter(net, `ends ${place} ${ending} ${writes}`),
    );
  }
}

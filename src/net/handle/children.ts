/**
 * Sockets go to other processes (`send.ts`) where there are any: that code is loaded, and Node's
 * `child_process` with it, when the program has a child or is one.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isLoaded } from '../node/loaded-modules';

/** Node says on this channel that a child was made, before it is spawned. */
const childMade = 'child_process';

function watch(): void {
  unsubscribe(childMade, watch);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at first need
  (require('./send') as typeof import('./send')).watchChannels();
}

if (isLoaded('internal/child_process')) watch();
else subscribe(childMade, watch);

/**
 * Sockets go to other processes where there are any: the code for it is loaded, and Node's
 * `child_process` with it, when the program has a child or is one.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isLoaded } from '../node/loaded-modules';
import type { Carriers } from './carrier';

/** Node says on this channel that a child was made, before it is spawned. */
const childMade = 'child_process';

/** Once for all copies. */
export function watchForChildren(carriers: Carriers): void {
  const begin = (): void => {
    unsubscribe(childMade, begin);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- at first need
    (require('./channels') as typeof import('./channels')).watchChannels(carriers);
  };
  carriers.mayHaveUnknownChannels = isLoaded('internal/child_process');
  if (carriers.mayHaveUnknownChannels) begin();
  else subscribe(childMade, begin);
}

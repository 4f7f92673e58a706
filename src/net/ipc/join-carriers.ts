/** Makes this copy of our modules known as a carrier of its sockets to other processes. */
import { environment, loadForAll } from '../../environment';
import { suspectUnknownChannels } from './asked-by-send';
import type { Carrier, Carriers } from './carrier';

/* eslint-disable @typescript-eslint/no-require-imports -- at first need */

/** Exported, so that it lives as long as this copy does. */
export const carrierOfThisCopy = (): Carrier =>
  (require('./send') as typeof import('./send')).carrier;

function newCarriers(): Carriers {
  const carriers = { all: [], mayHaveUnknownChannels: false };
  const here = (): typeof import('./watch-children') => require('./watch-children') as never;
  loadForAll('net/ipc/watch-children', here).watchForChildren(carriers);
  return carriers;
}

function join(): void {
  const shared = environment();
  const carriers = (shared.carriers ??= newCarriers());
  const living = carriers.all.filter((each) => each.deref() !== undefined);
  carriers.all.splice(0, Infinity, ...living, new WeakRef(carrierOfThisCopy));
  // A test runner's copy has a `process` of its own.
  carriers.wrapChannel?.(process);
  if (carriers.mayHaveUnknownChannels) suspectUnknownChannels();
}

join();

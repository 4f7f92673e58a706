/**
 * The tick and microtask queues between two completions. Node runs them between two callbacks, and
 * programs rely on it: `await once(socket, 'data')` in a loop must see every chunk.
 *
 * `process._tickCallback` is what Node itself calls between two timers; it is not documented, so a
 * Node without it gets one completion per turn of the event loop instead, which is slower and right.
 */

interface ProcessWithTicks {
  _tickCallback?: () => void;
}

/**
 * With `--pending-deprecation` Node has a function in its place that warns, or throws
 * (`--throw-deprecation`), before it calls the real one, which it has as its prototype.
 */
function findTickCallback(): (() => void) | undefined {
  const found = (process as unknown as ProcessWithTicks)._tickCallback;
  if (typeof found !== 'function' || found.name !== 'deprecated') return found;
  const real: unknown = Object.getPrototypeOf(found);
  return typeof real === 'function' ? (real as () => void) : found;
}

const tickCallback = findTickCallback();

/** Whether `runTicks` can be called from within a dispatch. */
export const canRunTicks = typeof tickCallback === 'function';

/** Runs everything in the tick and microtask queues. May throw what a callback in them throws. */
export const runTicks: () => void =
  tickCallback ??
  (() => {
    // Each completion has a turn of the event loop, which runs them.
  });

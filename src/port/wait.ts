/** Stopping this thread for a moment, for what another thread does within microseconds. */
const { hrtime } = process;

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

/** On Linux the system adds some 0.05 ms; on Windows it may be the rest of a clock tick, 15 ms. */
export function pause(milliseconds: number): void {
  Atomics.wait(nobodyWakes, 0, 0, milliseconds);
}

/** Looks without pausing first: waking the other thread and its work take that long. */
const SPINS = 1000;
const LONGEST_NS = 25_000_000;

/** True as soon as `isDone` is; false when it is not within 25 ms. */
export function waitAMoment(isDone: () => boolean): boolean {
  for (let spin = 0; spin < SPINS; spin++) {
    if (isDone()) return true;
  }
  const begun = hrtime();
  for (;;) {
    if (isDone()) return true;
    const [seconds, nanoseconds] = hrtime(begun);
    if (seconds > 0 || nanoseconds > LONGEST_NS) return false;
    pause(0.05);
  }
}

/**
 * `performance.eventLoopUtilization()` and `nodeTiming.idleTime` while the event loop waits in our
 * port: libuv takes that for work, and programs that shed load by it would shed all. So what was
 * waited there is added to what Node counts as idle.
 */
import { environment } from '../../environment';
import { bare } from '../bare';
import { nodeMajor } from './version';

interface Utilization {
  idle: number;
  active: number;
  utilization: number;
}

type Measure = (before?: Utilization, earlier?: Utilization) => Utilization;

function between(idle: number, active: number): Utilization {
  return { idle, active, utilization: active / (idle + active) };
}

/** Node's own of the same name, with our waiting added. */
function correctedBy(waitedMs: () => number, measure: Measure): Measure {
  return function eventLoopUtilization(before, earlier) {
    if (earlier !== undefined) return measure(before, earlier);
    const now = measure();
    if (now.idle === 0 && now.active === 0) return now; // the loop has not begun
    const waited = waitedMs();
    const total = between(now.idle + waited, now.active - waited);
    if (before === undefined) return total;
    return between(total.idle - before.idle, total.active - before.active);
  };
}

/** Some lines of Node export it by itself, too; others need not load the module for it. */
function replaceExport(value: Measure): void {
  if (nodeMajor < 24) return;
  const hooks = process.getBuiltinModule('node:perf_hooks');
  if (!Object.hasOwn(hooks, 'eventLoopUtilization')) return;
  Object.defineProperty(hooks, 'eventLoopUtilization', bare({ value }));
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
}

/**
 * From here on. At import: programs keep the function that they find when they load. Where a thread
 * drives, the loop waits in libuv, and nothing is added.
 */
export function countWaiting(): void {
  const shared = environment();
  if (shared.isWaitingCounted) return;
  // A test runner's copy may have none, or another's; so has what is not Node.
  const { performance } = globalThis as { performance?: Partial<Performance> };
  if (!performance?.eventLoopUtilization || !performance.nodeTiming) return;
  shared.isWaitingCounted = true;
  const { eventLoopUtilization, nodeTiming } = performance;
  const waitedMs = (): number => shared.running?.transport.waitedMs() ?? 0;
  const measure: Measure = eventLoopUtilization.bind(performance);
  const value = correctedBy(waitedMs, measure);
  const method = bare({ configurable: true, writable: true, value });
  Object.defineProperty(performance, 'eventLoopUtilization', method);
  replaceExport(value);
  const idleTime = Object.getOwnPropertyDescriptor(nodeTiming, 'idleTime');
  const { get: idleOfLibuv } = idleTime ?? {};
  if (idleOfLibuv === undefined) return;
  const get = (): number => (idleOfLibuv.call(nodeTiming) as number) + waitedMs();
  Object.defineProperty(nodeTiming, 'idleTime', bare({ ...idleTime, get }));
}

/**
 * Before the process ends by a call of JavaScript, what was written leaves: `node:net` has made its
 * system calls by then. (A write that waits for other reasons is lost there, too.)
 */
import { bare } from '../net/bare';

type Call = (...parameters: unknown[]) => unknown;

/** `process.kill` calls the first. What `process.exit` ends with stops the ports, which send. */
const DEADLY = ['_kill', 'abort'] as const;

/** Calls `handOver` before whatever ends the process, or may. */
export function beforeEnd(handOver: () => void): void {
  process.on('exit', handOver);
  const calls = process as unknown as Partial<Record<(typeof DEADLY)[number], Call>>;
  for (const name of DEADLY) {
    const call = calls[name];
    if (typeof call !== 'function') continue;
    const handsOver: Call = (...parameters) => {
      handOver();
      return Reflect.apply(call, process, parameters);
    };
    Object.defineProperty(handsOver, 'name', bare({ value: call.name }));
    calls[name] = handsOver;
  }
}

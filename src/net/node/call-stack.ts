/** Asking the stack who calls, where nothing else tells. */
import { bare } from '../bare';

/** Whether the code that called `callee` is of this module of Node's. */
export function isCalledBy(module: string, callee: (this: never, ...args: never[]) => unknown) {
  const { stackTraceLimit: limit } = Error as Partial<typeof Error>;
  // Where Error is frozen, it stays as it is.
  Reflect.set(Error, 'stackTraceLimit', 1);
  const trace: { stack?: string } = bare({});
  Error.captureStackTrace(trace, callee);
  if (limit === undefined) Reflect.deleteProperty(Error, 'stackTraceLimit');
  else Reflect.set(Error, 'stackTraceLimit', limit);
  const [caller = ''] = callSites(String(trace.stack));
  return caller.includes(module);
}

const callSites = (stack: string): string[] =>
  stack.split('\n').filter((line) => /^\s+at /.test(line));

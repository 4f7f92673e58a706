/**
 * The last guard of `subprocess.send(message, socket)`. Channels that we know convert what is ours
 * (`send.ts`). One that we do not know takes the handle of a socket or server and passes it to
 * native code, which would take a handle of ours for one of libuv's and crash. Nothing else in the
 * request says what it is for, so the stack is asked who asks.
 */

import { bare } from '../bare';

const childProcessModule = 'node:internal/child_process';

let mayBeUnknown = false;

/** There may be channels that we have not wrapped. From here on each look at a handle costs more. */
export function guardUnknownChannels(): void {
  mayBeUnknown = true;
}

/** Whether the code that asked for what `getter` computes is Node's `subprocess.send()`. */
export function isAskedBySend(getter: ((this: never) => unknown) | undefined): boolean {
  return mayBeUnknown && stackSaysSend(getter);
}

/** The same where looks are rare: in any case. */
export function stackSaysSend(getter: ((this: never) => unknown) | undefined): boolean {
  return getter !== undefined && isCalledBy(childProcessModule, getter);
}

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

/**
 * `subprocess.send(message, socket)` takes the handle of a socket or server and passes it to native
 * code, which would take a handle of ours for one of libuv's and crash. Nothing else in the request
 * says what it is for, so the stack is asked who asks.
 */

const childProcessModule = 'node:internal/child_process';

let modulesSeen = 0;
let canSend = false;

/** Whether Node's child process code is loaded: without it nobody sends anything. */
function senderIsLoaded(): boolean {
  if (canSend) return true;
  // Not in Node's documentation, but its tests count on it. Without it: better safe.
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  if (moduleLoadList === undefined) return (canSend = true);
  for (; modulesSeen < moduleLoadList.length; modulesSeen++) {
    if (moduleLoadList[modulesSeen] === 'NativeModule internal/child_process') canSend = true;
  }
  return canSend;
}

/** Whether the code that asked for what `getter` computes is Node's `subprocess.send()`. */
export function isAskedBySend(getter: ((this: never) => unknown) | undefined): boolean {
  if (!senderIsLoaded() || getter === undefined) return false;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, getter);
  Error.stackTraceLimit = limit;
  return String(trace.stack).includes(childProcessModule);
}

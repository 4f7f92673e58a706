/**
 * The last guard of `subprocess.send(message, socket)`. Channels that we know convert what is ours
 * (`send.ts`). One that we do not know takes the handle of a socket or server and passes it to
 * native code, which would take a handle of ours for one of libuv's and crash. Nothing else in the
 * request says what it is for, so the stack is asked who asks.
 */

import { isCalledBy } from '../node/call-stack';

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

/**
 * The last guard of `subprocess.send(message, socket | server)`. Channels that we know convert what
 * is ours (`send.ts`). One that we do not know takes the handle of a socket or server and passes it
 * to native code, which would take a handle of ours for one of libuv's and crash. Nothing else in
 * the request says what it is for, so the stack is asked who asks.
 */

import { core } from '../core';
import { isCalledBy } from '../node/call-stack';

const childProcessModule = 'node:internal/child_process';

/**
 * `known`: we have seen them all begin. `suspected`: Node's `child_process` was there before us, and
 * nobody has looked whether a child was, too. `unknown`: one is, and each look at a handle costs more.
 */
type Channels = 'known' | 'suspected' | 'unknown';

let channels: Channels = 'known';

export function suspectUnknownChannels(): void {
  channels = 'suspected';
}

/**
 * Whether there are channels that we do not know. A child that does not hold the process is seen by
 * native code alone, which is asked with the first handle.
 */
export function hasUnknownChannels(): boolean {
  if (channels === 'suspected') {
    channels = core()?.hasChildren() === true ? 'unknown' : 'known';
  }
  return channels === 'unknown';
}

/** Whether the code that asked for what `getter` computes is Node's `subprocess.send()`. */
export function isAskedBySend(getter: ((this: never) => unknown) | undefined): boolean {
  return hasUnknownChannels() && getter !== undefined && isCalledBy(childProcessModule, getter);
}

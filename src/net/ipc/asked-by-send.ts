/**
 * The last guard of `subprocess.send(message, socket | server)`. Channels that we know convert what
 * is ours (`send.ts`). One that we do not know takes the handle of a socket or server and passes it
 * to native code, which would take a handle of ours for one of libuv's and crash. Nothing else in
 * the request says what it is for, so the stack is asked who asks.
 */

import type { Transport } from '../../port/contract';
import { isCalledBy } from '../node/call-stack';

const childProcessModule = 'node:internal/child_process';

enum Channels {
  /** We have seen them all begin. */
  Known,
  /** Node's `child_process` was there before us; nobody has looked whether a child was, too. */
  Suspected,
  /** One is, and each look at a handle costs more. */
  Unknown,
}

let channels = Channels.Known;

export function suspectUnknownChannels(): void {
  channels = Channels.Suspected;
}

/** With the first port: a child that does not hold the process is seen by native code alone. */
export function lookForUnknownChannels(transport: Pick<Transport, 'hasChildren'>): void {
  if (channels !== Channels.Suspected) return;
  channels = transport.hasChildren() ? Channels.Unknown : Channels.Known;
}

/** Whether there are channels that we do not know. */
export const hasUnknownChannels = (): boolean => channels !== Channels.Known;

/** Whether the code that asked for what `getter` computes is Node's `subprocess.send()`. */
export function isAskedBySend(getter: ((this: never) => unknown) | undefined): boolean {
  return hasUnknownChannels() && getter !== undefined && isCalledBy(childProcessModule, getter);
}

/**
 * Looks at the bytes that wait in a socket to be sent. They pile up in the stream, which tells
 * nobody; so whoever limits them puts `write()` and `end()` in front of the stream's.
 */
import { bare } from '../bare';
import type { NetSocket } from '../node/internals';

type Method = (this: NetSocket, ...args: unknown[]) => unknown;

/** The members `write` and `end` that call those that `target` has now, and `look` after each. */
export function lookingMembers(
  target: object,
  look: (socket: NetSocket) => void,
): Record<string, Method> {
  const before = (name: string): Method => Reflect.get(target, name) as Method;
  const [write, end] = [before('write'), before('end')];
  return {
    write(this: NetSocket, ...args: unknown[]): unknown {
      const goesOn = write.apply(this, args);
      look(this);
      return !this.destroyed && goesOn;
    },
    end(this: NetSocket, ...args: unknown[]): unknown {
      const result = end.apply(this, args);
      look(this);
      return result;
    },
  };
}

/** Calls `exceeded` as soon as more is queued in one socket. */
export function limitQueue(socket: NetSocket, limit: number, exceeded: () => void): void {
  const look = ({ writableLength, destroyed }: NetSocket): void => {
    if (writableLength > limit && !destroyed) exceeded();
  };
  for (const [name, value] of Object.entries(lookingMembers(socket, look))) {
    Object.defineProperty(socket, name, bare({ configurable: true, value, writable: true }));
  }
}

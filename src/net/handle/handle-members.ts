/** What a class of handles gets when it is made. */
import { bare } from '../bare';
import type { SocketHandle, SocketHandleClass } from './handle-interface';
import { allMethods } from './replaced';

/** Whoever puts a function of his own in the place of `onread` is called from then on. */
export function watchReceiver(prototype: SocketHandle): void {
  const { get, set } = memberOf(prototype, 'onread') ?? bare<PropertyDescriptor>({});
  if (get === undefined || set === undefined) return;
  const members = bare({
    configurable: true,
    get,
    set(this: SocketHandle, receiver: SocketHandle['onread']) {
      set.call(this, receiver);
      if (this.connection !== null) this.reader.takeOver(this.connection);
    },
  });
  Object.defineProperty(prototype, 'onread', members);
}

function memberOf(prototype: object | null, name: string): PropertyDescriptor | undefined {
  if (prototype === null) return undefined;
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  return own ?? memberOf(Object.getPrototypeOf(prototype) as object | null, name);
}

/** By the name that programs print and look for. */
export function named(Handle: SocketHandleClass, name: string): SocketHandleClass {
  Object.defineProperty(Handle, 'name', bare({ value: name }));
  const members = Handle.prototype as unknown as Record<string, unknown>;
  const ownMethods = Object.fromEntries(allMethods.map((each) => [each, members[each]]));
  Object.defineProperty(Handle.prototype, 'ownMethods', bare({ value: Object.freeze(ownMethods) }));
  return Handle;
}

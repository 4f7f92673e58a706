/**
 * Which core serves this environment, and how our prototypes sit on Node's.
 *
 * The choice is made when the first socket or server is constructed, not at import. Where our core
 * cannot run, every override is taken off again and what remains is `node:net`.
 */
import { engineLimits, transport } from '../engine';
import { environment, loadForAll } from '../environment';
import type { Transport } from '../port/contract';
import { countWaiting } from './node/loop-utilization';

let chosen: Transport | null | undefined;

interface Override {
  prototype: object;
  members: PropertyDescriptorMap;
}

const overrides: Override[] = [];

function isSame(a: PropertyDescriptor | undefined, b: PropertyDescriptor): boolean {
  return a !== undefined && a.value === b.value && a.get === b.get;
}

/** Takes off what is still ours; what others have put in its place stays. */
function removeOverrides(): void {
  for (const { prototype, members } of overrides) {
    for (const key of Reflect.ownKeys(members)) {
      const member = members[key as string];
      if (member && isSame(Object.getOwnPropertyDescriptor(prototype, key), member)) {
        Reflect.deleteProperty(prototype, key);
      }
    }
  }
}

/** Where another copy of our modules has not done so. */
function listOnce(transport: Transport): void {
  const { listing } = environment();
  if (listing.has(process)) return;
  listing.add(process);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- with the first port
  const here = (): typeof import('./node/active') => require('./node/active') as never;
  loadForAll('net/node/active', here).listActive(transport, process);
}

let socketPrototype: object | null = null;

/** Of the sockets whose queues the engine's limit counts. */
export function countQueuesOf(prototype: object): void {
  socketPrototype = prototype;
}

type QueueTotal = typeof import('./socket/queue-total');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs limit it
const queueTotal = (): QueueTotal => require('./socket/queue-total') as QueueTotal;

function limitQueues(): void {
  const most = engineLimits()?.queuedBytes;
  if (most === undefined || socketPrototype === null) return;
  const { countingMembers } = queueTotal();
  override(socketPrototype, countingMembers(socketPrototype, most));
}

const fallbacks: (() => void)[] = [];

/** Called when it turns out that `node:net` has to serve, as a whole. */
export function whenNodeServes(call: () => void): void {
  fallbacks.push(call);
}

/** The ports of this environment, or null when `node:net` has to serve. */
export function core(): Transport | null {
  if (chosen === undefined) {
    chosen = transport();
    if (chosen === null) {
      removeOverrides();
      for (const call of fallbacks) call();
    } else {
      listOnce(chosen);
      limitQueues();
    }
  }
  return chosen;
}

/** Puts members on one of our prototypes, in front of Node's of the same name. */
export function override(prototype: object, members: object): void {
  const descriptors = Object.getOwnPropertyDescriptors<PropertyDescriptorMap>(members as never);
  Object.defineProperties(prototype, descriptors);
  overrides.push({ prototype, members: descriptors });
}

type AnyConstructor = abstract new (...args: never[]) => object;

const ordinaryHasInstance = Object.getOwnPropertyDescriptor(Function.prototype, Symbol.hasInstance)
  ?.value as (this: unknown, value: unknown) => boolean;

/**
 * Makes `Ours` stand on `Nodes`: prototypes chained, and objects that Node itself made (sockets of
 * a pipe server, everything where our core cannot run) are instances of `Ours` too. A subclass asks
 * in the ordinary way.
 */
export function standOn(Ours: AnyConstructor, Nodes: AnyConstructor): void {
  Object.setPrototypeOf(Ours, Nodes);
  Object.setPrototypeOf(Ours.prototype as object, Nodes.prototype as object);
  Object.defineProperty(Ours, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, value: unknown): boolean {
      return ordinaryHasInstance.call(this === Ours ? Nodes : this, value);
    },
  });
}

countWaiting();

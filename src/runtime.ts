/**
 * Whether this is Node, or near enough. Other runtimes load our addon, too, and have a `net` with
 * Node's names; but our sockets stand on Node's own code and on its event loop. So what is taken
 * for granted elsewhere is asked for here, once, before the addon is touched.
 */
import { bare } from './net/bare';
import * as nodeNet from './net/node/node-net';

interface Need {
  name: string;
  isThere(): boolean;
}

/**
 * A socket of Node's as our constructor makes it: on an object that exists already. Node copies the
 * options to a plain object, so that names on Object.prototype show through what is not there.
 */
function makeSocket(): object {
  const socket = Object.create(nodeNet.Socket.prototype) as object;
  Object.defineProperty(socket, 'isOurs', bare({ value: true, writable: true }));
  (nodeNet.Socket as unknown as (this: object, options: object) => void).call(socket, {
    fd: undefined,
    handle: undefined,
    signal: undefined,
  });
  return socket;
}

const symbolsOf = (value: object): (string | undefined)[] =>
  Object.getOwnPropertySymbols(value).map(({ description }) => description);

const needs: readonly Need[] = [
  {
    name: 'a net.Socket that is a function and fills the object that it is called on',
    isThere: () => {
      const socket = makeSocket() as Partial<Record<string, unknown>>;
      return '_readableState' in socket && symbolsOf(socket).includes('async_id_symbol');
    },
  },
  {
    name: 'net._normalizeArgs()',
    isThere: () => symbolsOf(nodeNet.normalizeArguments([])).length > 0,
  },
  {
    name: 'net.Server.prototype._listen2()',
    isThere: () => typeof Reflect.get(nodeNet.Server.prototype, '_listen2') === 'function',
  },
];

function isMet({ isThere }: Need): boolean {
  try {
    return isThere();
  } catch {
    return false;
  }
}

/** Why our core cannot serve in this runtime; null where it can. */
export function lackOfRuntime(): string | null {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return `this is Bun ${bun}, not Node`;
  if (deno !== undefined) return `this is Deno ${deno}, not Node`;
  const missing = needs.find((need) => !isMet(need));
  return missing === undefined ? null : `this runtime has not ${missing.name}, as Node has`;
}

/** Classes of servers on the completion core, each on one of Node's. */
import { core, standOn } from '../core';
import { bare } from '../bare';
import { kKeepAlive } from '../node/internals';
import { moreKeepAlive } from '../socket/keep-alive';
import { limitServer } from './limit-server';
import { installListen } from './listen';

function keepAliveOf(server: object, options: unknown): void {
  if (typeof options !== 'object' || options === null) return;
  const value = moreKeepAlive(options);
  if (value !== null) Object.defineProperty(server, kKeepAlive, bare({ value }));
}

type AnyServerClass = new (options?: never, listener?: never) => object;

/** A class of servers that are Node's but for where they listen. */
export function serverClass<Class extends AnyServerClass>(NodeServer: Class): Class {
  const Server = function (this: object, options?: never, listener?: never): object | undefined {
    // Node's servers are made without `new`, too.
    if (new.target === undefined && !(this instanceof Server)) return new Server(options, listener);
    core();
    NodeServer.call(this, options, listener);
    limitServer(this, options);
    keepAliveOf(this, options);
    return undefined;
  } as unknown as Class;
  standOn(Server, NodeServer);
  installListen(Server.prototype as object);
  return Server;
}

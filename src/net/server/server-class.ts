/** Classes of servers on the completion core, each on one of Node's. */
import { core, standOn } from '../core';
import { limitServer } from './limit-server';
import { installListen } from './listen';

type AnyServerClass = new (options?: never, listener?: never) => object;

/** A class of servers that are Node's but for where they listen. */
export function serverClass<Class extends AnyServerClass>(NodeServer: Class): Class {
  const Server = function (this: object, options?: never, listener?: never): object | undefined {
    // Node's servers are made without `new`, too.
    if (new.target === undefined && !(this instanceof Server)) return new Server(options, listener);
    core();
    NodeServer.call(this, options, listener);
    limitServer(this, options);
    return undefined;
  } as unknown as Class;
  standOn(Server, NodeServer);
  installListen(Server.prototype as object);
  return Server;
}

/** The server: Node's own `net.Server`, listening on the completion core. */
import * as nodeNet from '../node/node-net';
import { core, standOn } from '../core';
import type { NetServer } from '../node/internals';
import { installListen } from './listen';

type ConnectionListener = (socket: nodeNet.Socket) => void;

/** `net.Server`, its TCP listeners on the completion core. */
const Server = function (
  this: NetServer,
  options?: nodeNet.ServerOpts | ConnectionListener,
  listener?: ConnectionListener,
): nodeNet.Server | undefined {
  if (new.target === undefined && !(this instanceof Server)) {
    return new Server(options as nodeNet.ServerOpts, listener);
  }
  core();
  nodeNet.Server.call(this, options as nodeNet.ServerOpts, listener);
  return undefined;
} as unknown as typeof nodeNet.Server;

standOn(Server, nodeNet.Server);
installListen(Server.prototype);

export { Server };

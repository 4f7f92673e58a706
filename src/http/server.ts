/** The HTTP server: Node's own `http.Server`, listening on the completion core. */
import * as nodeHttp from 'node:http';
import { core, standOn } from '../net/core';
import { installListen } from '../net/server/listen';

/** `http.Server`, its connections on the completion core. */
const Server = function (
  this: nodeHttp.Server,
  options?: nodeHttp.ServerOptions | nodeHttp.RequestListener,
  listener?: nodeHttp.RequestListener,
): nodeHttp.Server | undefined {
  if (new.target === undefined && !(this instanceof Server)) {
    return new Server(options as nodeHttp.ServerOptions, listener);
  }
  core();
  nodeHttp.Server.call(this, options as nodeHttp.ServerOptions, listener);
  return undefined;
} as unknown as typeof nodeHttp.Server;

standOn(Server, nodeHttp.Server);
installListen(Server.prototype as object);

export { Server };

/**
 * `iocp-net/https`: the exports of `node:https`, those of the running Node, with servers and
 * requests on the completion core.
 *
 * @packageDocumentation
 */
import type * as nodeHttp from 'node:http';
import * as nodeHttps from 'node:https';
import { agentClass, getWith, globalAgentOf, requestWith } from '../http/agent';
import type { LimitOptions } from '../limit-options';
import { addMissing } from '../net/node/builtin-exports';
import { serverClass } from '../net/server/server-class';
import { onCore } from '../tls/client';

export type * from 'node:https';

type ServerOptions = nodeHttps.ServerOptions;
type Listener = nodeHttp.RequestListener;

/** `https.Server`, its connections on the completion core. */
export const Server = serverClass(nodeHttps.Server);
export type Server = nodeHttps.Server;

/** As `https.createServer()` of Node; `limits` says what its clients may take. */
export const createServer = function createServer(
  options: ServerOptions,
  listener?: Listener,
): nodeHttps.Server {
  return new Server(options, listener);
} as typeof nodeHttps.createServer & {
  (options: ServerOptions & LimitOptions, listener?: Listener): nodeHttps.Server;
};

export const Agent: typeof nodeHttps.Agent = agentClass(nodeHttps.Agent, (byNode) =>
  onCore(byNode),
);
export type Agent = nodeHttps.Agent;

const globalAgentMember = globalAgentOf(Agent, nodeHttps.globalAgent);
const send = requestWith(nodeHttps.request, globalAgentMember.get);
export const request = send as typeof nodeHttps.request;
export const get = getWith(send) as typeof nodeHttps.get;

export declare const globalAgent: nodeHttps.Agent;
Object.defineProperty(exports, 'globalAgent', globalAgentMember);
addMissing(exports as object, process.getBuiltinModule('node:https'));

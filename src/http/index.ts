/**
 * `iocp-net/http`: the exports of `node:http`, those of the running Node, with servers and requests
 * on the completion core.
 *
 * @packageDocumentation
 */
import * as nodeHttp from 'node:http';
import { addMissing } from '../net/node/builtin-exports';
import type { NameOf } from '../net/node/builtin-exports';
import type { LimitOptions } from '../limit-options';
import { createConnection } from '../net/index';
import { serverClass } from '../net/server/server-class';
import { agentClass, getWith, globalAgentOf, requestWith } from './agent';

export type * from 'node:http';

/** `http.Server`, its connections on the completion core. */
export const Server = serverClass(nodeHttp.Server);
export type Server = nodeHttp.Server;

type ServerArguments = ConstructorParameters<typeof nodeHttp.Server>;

/** As `http.createServer()` of Node; `limits` says what its clients may take. */
export const createServer = function createServer(
  options: ServerArguments[0],
  requestListener: ServerArguments[1],
): nodeHttp.Server {
  return new Server(options, requestListener);
} as typeof nodeHttp.createServer & {
  (
    options: nodeHttp.ServerOptions & LimitOptions,
    listener?: nodeHttp.RequestListener,
  ): nodeHttp.Server;
};

export const Agent: typeof nodeHttp.Agent = agentClass(nodeHttp.Agent, (_byNode, args) =>
  (createConnection as (...args: unknown[]) => unknown)(...args),
);
const globalAgentMember = globalAgentOf(Agent, nodeHttp.globalAgent);
const send = requestWith(nodeHttp.request, globalAgentMember.get);
export const request = send as typeof nodeHttp.request;
export const get = getWith(send) as typeof nodeHttp.get;

export const {
  METHODS,
  STATUS_CODES,
  ClientRequest,
  IncomingMessage,
  OutgoingMessage,
  ServerResponse,
  validateHeaderName,
  validateHeaderValue,
  setMaxIdleHTTPParsers,
} = nodeHttp;
export type Agent = nodeHttp.Agent;
export type ClientRequest = nodeHttp.ClientRequest;
export type IncomingMessage = nodeHttp.IncomingMessage;
export type OutgoingMessage = nodeHttp.OutgoingMessage;
export type ServerResponse = nodeHttp.ServerResponse;

export declare const maxHeaderSize: typeof nodeHttp.maxHeaderSize;
export declare const globalAgent: nodeHttp.Agent;

type Http = typeof import('node:http');
export declare const setGlobalProxyFromEnv: NameOf<Http, 'setGlobalProxyFromEnv'>;
export declare const WebSocket: NameOf<Http, 'WebSocket'>;
export declare const CloseEvent: NameOf<Http, 'CloseEvent'>;
export declare const MessageEvent: NameOf<Http, 'MessageEvent'>;
Object.defineProperty(exports, 'globalAgent', globalAgentMember);
// The rest is made at first use (maxHeaderSize, WebSocket) or not in every Node.
addMissing(exports as object, process.getBuiltinModule('node:http'));

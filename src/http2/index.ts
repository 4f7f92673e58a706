/**
 * `iocp-net/http2`: the exports of `node:http2`, those of the running Node, with servers and
 * clients on the completion core.
 *
 * @packageDocumentation
 */
import * as nodeHttp2 from 'node:http2';
import { addMissing } from '../net/node/builtin-exports';
import { connect as connectSocket } from '../net/index';
import type { LimitOptions } from '../limit-options';
import { limitServer } from '../net/server/limit-server';
import { listenOnCore } from '../net/server/listen';
import { onCore } from '../tls/client';

export type * from 'node:http2';

function withLimits<Server extends object>(server: Server, options: unknown): Server {
  const ours = listenOnCore(server);
  limitServer(ours, options);
  return ours;
}

type Http2Listener = (
  request: nodeHttp2.Http2ServerRequest,
  response: nodeHttp2.Http2ServerResponse,
) => void;

/** As `http2.createServer()` of Node; `limits` says what its clients may take. */
export const createServer = ((...args: Parameters<typeof nodeHttp2.createServer>) =>
  withLimits(nodeHttp2.createServer(...args), args[0])) as typeof nodeHttp2.createServer & {
  (
    options: nodeHttp2.ServerOptions & LimitOptions,
    listener?: Http2Listener,
  ): nodeHttp2.Http2Server;
};

export const createSecureServer = ((...args: Parameters<typeof nodeHttp2.createSecureServer>) =>
  withLimits(
    nodeHttp2.createSecureServer(...args),
    args[0],
  )) as typeof nodeHttp2.createSecureServer & {
  (
    options: nodeHttp2.SecureServerOptions & LimitOptions,
    listener?: Http2Listener,
  ): nodeHttp2.Http2SecureServer;
};

type Options = nodeHttp2.ClientSessionOptions & { protocol?: string };
type SessionListener = Parameters<typeof nodeHttp2.connect>[2];

/** Where a cleartext session connects to, as Node finds it out. */
function destinationOf(authority: URL): { host: string; port: string } {
  const { hostname, host, port, protocol } = authority;
  const name = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { host: name || host || 'localhost', port: port || (protocol === 'http:' ? '80' : '443') };
}

function connectInTheClear(authority: URL, options: Options): ReturnType<typeof connectSocket> {
  return connectSocket({ ...destinationOf(authority), ...options } as never);
}

function isInTheClear(authority: unknown, { protocol }: Options): boolean {
  const { protocol: own } =
    typeof authority === 'string' ? new URL(authority) : ((authority ?? {}) as Options);
  return (own || protocol) === 'http:';
}

export const connect = function connect(
  authority: string | URL,
  options?: Options | SessionListener,
  listener?: SessionListener,
): nodeHttp2.ClientHttp2Session {
  if (typeof options === 'function') return connect(authority, undefined, options);
  const given = options ?? {};
  const byUs =
    given.createConnection === undefined && isInTheClear(authority, given)
      ? { ...given, createConnection: connectInTheClear }
      : options;
  // A secure one has a TLS socket that connects by itself.
  return onCore(() => nodeHttp2.connect(authority, byUs as Options, listener));
} as typeof nodeHttp2.connect;

export const {
  Http2ServerRequest,
  Http2ServerResponse,
  constants,
  getDefaultSettings,
  getPackedSettings,
  getUnpackedSettings,
  performServerHandshake,
  sensitiveHeaders,
} = nodeHttp2;
export type Http2ServerRequest = nodeHttp2.Http2ServerRequest;
export type Http2ServerResponse = nodeHttp2.Http2ServerResponse;

addMissing(exports as object, process.getBuiltinModule('node:http2'));

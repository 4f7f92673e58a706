/**
 * `iocp-net/tls`: the exports of `node:tls`, those of the running Node, with servers and clients on
 * the completion core.
 *
 * @packageDocumentation
 */
import * as nodeTls from 'node:tls';
import { addMissing, shareSetting } from '../net/node/builtin-exports';
import type { LimitOptions } from '../limit-options';
import { serverClass } from '../net/server/server-class';
import { onCore } from './client';

export type * from 'node:tls';

type SecureListener = (socket: nodeTls.TLSSocket) => void;

/** `tls.Server`, its connections on the completion core. */
export const Server = serverClass(nodeTls.Server);
export type Server = nodeTls.Server;

/** As `tls.createServer()` of Node; `limits` says what its clients may take. */
export const createServer = function createServer(
  options: nodeTls.TlsOptions,
  listener?: SecureListener,
): nodeTls.Server {
  return new Server(options, listener);
} as typeof nodeTls.createServer & {
  (options: nodeTls.TlsOptions & LimitOptions, listener?: SecureListener): nodeTls.Server;
};

export const connect = function connect(...args: Parameters<typeof nodeTls.connect>) {
  return onCore(() => nodeTls.connect(...args));
} as typeof nodeTls.connect;

export const { SecureContext, TLSSocket, checkServerIdentity, createSecureContext, getCiphers } =
  nodeTls as typeof nodeTls & { SecureContext: unknown };
export type TLSSocket = nodeTls.TLSSocket;

export declare const CLIENT_RENEG_LIMIT: number;
export declare const CLIENT_RENEG_WINDOW: number;
export declare const DEFAULT_CIPHERS: string;
export declare const DEFAULT_ECDH_CURVE: string;
export declare const DEFAULT_MAX_VERSION: nodeTls.SecureVersion;
export declare const DEFAULT_MIN_VERSION: nodeTls.SecureVersion;
export declare const rootCertificates: readonly string[];

const builtin = process.getBuiltinModule('node:tls');
// Node reads these where they are, so a change here must be one there.
for (const name of Object.keys(builtin)) {
  if (/^(CLIENT|DEFAULT)_/.test(name)) shareSetting(exports as object, builtin, name);
}
addMissing(exports as object, builtin);

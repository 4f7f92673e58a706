/** HTTP/2 in the clear, for which the same holds as for TLS: see `tls-on-node.ts`. */
import { isCalledBy } from '../node/call-stack';
import { isLoaded } from '../node/loaded-modules';
import { canChangeSides } from '../node/native-handle';

const http2Module = 'internal/http2/core';

/**
 * Whether the code that asked for what `getter` computes is Node's HTTP/2: a session looks for the
 * handle of its socket first of all, and nothing else in that look says who it is.
 */
export function isAskedByHttp2(getter: ((this: never) => unknown) | undefined): boolean {
  if (!canChangeSides || getter === undefined || !isLoaded(http2Module)) return false;
  return isCalledBy(`node:${http2Module}`, getter);
}

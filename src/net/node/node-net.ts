/**
 * Node's own `net`, as it was when we were loaded. `iocp-net/register` later puts our exports in the
 * place of Node's; the code here stands on Node's classes and must not meet itself.
 */
import * as live from 'node:net';

export type * from 'node:net';

export const {
  Server,
  Socket,
  connect,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = live;
export type BlockList = live.BlockList;
export type Server = live.Server;
export type Socket = live.Socket;
export type SocketAddress = live.SocketAddress;

export const { _normalizeArgs: normalizeArguments, _createServerHandle: createServerHandle } =
  live as unknown as {
    /** Brings the arguments of `connect` and `listen` into one form, and marks it. */
    _normalizeArgs: <Options>(
      args: readonly unknown[],
    ) => [options: Options, callback: ((...args: unknown[]) => void) | null];
    /** A native handle that is bound, or of a descriptor; else an error number. */
    _createServerHandle: (
      address: string | null,
      port: number | null,
      addressType: number | null,
      fd: number | undefined,
      flags?: number,
    ) => object | number;
  };

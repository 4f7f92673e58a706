/** `socket.connect()`: to a path, to an address, or to a name whose addresses are looked up. */
import type { AsyncResource } from 'node:async_hooks';
import * as nodeNet from '../node/node-net';
import type { SocketKind, Transport } from '../../port/contract';
import { connectingScope, nextTickOf } from '../node/async-scopes';
import { isAbsent, validate } from './connect-options';
import type { ConnectOptions } from './connect-options';
import { connectToPath } from './connect-path';
import { Dial } from './dial';
import type { Destination } from './attempt';
import { lookUpAndDial } from './look-up';
import { publishClientSocket } from './published';
import type { NetSocket, NormalizedArguments } from '../node/internals';
import { Phase } from '../socket/link';
import type { LinkedSocket, SocketLink } from '../socket/link';

/** Connects over the transport, to a path or to a port. */
export function connectOver(
  transport: Transport,
  socket: LinkedSocket,
  link: SocketLink,
  [options, callback]: NormalizedArguments<ConnectOptions>,
): void {
  publishClientSocket(socket, 'socket');
  if (callback !== null) socket.once('connect', callback);
  if (socket._parent?.connecting) return;
  if (options.port === undefined && isAbsent(options.path)) validate(options);
  // 'end' may have put Node's write-after-FIN in its place.
  const { write } = Object.getPrototypeOf(socket) as NetSocket;
  if (socket.write !== write) socket.write = write;
  if (link.phase === Phase.Idle) prepare(socket, link, options.path ? 'local' : 'tcp');
  socket._unrefTimer();
  socket.connecting = true;
  validate(options);
  const { path } = options;
  if (path) connectToPath(transport, socket, link, path as string);
  else connectToPort(transport, socket, link, options);
}

function prepare(socket: LinkedSocket, link: SocketLink, kind: SocketKind): void {
  if (socket.destroyed) socket._peername = null;
  link.phase = Phase.Connecting;
  link.kind = kind;
  link.scope = connectingScope(socket, kind);
  socket._undestroy();
  socket._sockname = null;
  link.userBuffer?.renew();
}

function attemptTimeoutOf(options: ConnectOptions): number {
  const { autoSelectFamilyAttemptTimeout } = options;
  return isAbsent(autoSelectFamilyAttemptTimeout)
    ? nodeNet.getDefaultAutoSelectFamilyAttemptTimeout()
    : Math.max(10, Number(autoSelectFamilyAttemptTimeout));
}

function connectToPort(
  transport: Transport,
  socket: LinkedSocket,
  link: SocketLink,
  options: ConnectOptions,
): void {
  const host = options.host || 'localhost';
  const { localAddress, localPort } = options;
  // One more connect() while one is under way: the later finds a connection and fails.
  const dial = new Dial(socket, link, transport, link.dial, {
    port: Number(options.port) | 0,
    localAddress,
    localPort,
    attemptTimeout: attemptTimeoutOf(options),
  });
  if (link.dial === null) link.dial = dial;
  const family = nodeNet.isIP(host);
  if (family !== 0) {
    dialSoon(dial, link.scope, { address: host, family: family as 4 | 6 });
    return;
  }
  socket._host = host;
  lookUpAndDial(dial, link.scope, host, options);
}

function dialSoon(dial: Dial, scope: AsyncResource | null, destination: Destination): void {
  const start = (): void => {
    if (dial.isCurrent) dial.single(destination);
  };
  if (scope === null) process.nextTick(start);
  else nextTickOf(scope.asyncId(), start);
}

/**
 * The limits of a server that `node:net` serves. There every connection has its socket before anybody
 * is asked; what the limits turn away is destroyed before its `'connection'` event.
 */
import { bare } from '../bare';
import type { NetServer, NetSocket } from '../node/internals';
import { countDrop, infoOf } from './drop';
import type { LimitedServer } from './limits';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Whether it is a connection that this server has accepted, and none that a program hands to it. */
function isAccepted(server: NetServer, socket: unknown): socket is NetSocket {
  return typeof socket === 'object' && (socket as NetSocket | null)?._server === server;
}

function endpointOf({ remoteAddress, remoteFamily, remotePort }: NetSocket): {
  kind: 'tcp' | 'local';
  peerEndpoint: () => { address: string; family: 'IPv4' | 'IPv6'; port: number };
} {
  return {
    kind: remoteAddress === undefined ? 'local' : 'tcp',
    peerEndpoint: () => ({
      address: remoteAddress ?? '',
      family: remoteFamily === 'IPv6' ? 'IPv6' : 'IPv4',
      port: remotePort ?? 0,
    }),
  };
}

function admits(server: NetServer, limited: LimitedServer, socket: NetSocket): boolean {
  const reason = limited.reasonToRefuse(endpointOf(socket));
  if (reason === null) {
    limited.admit(socket);
    return true;
  }
  const info = infoOf(socket);
  socket.destroy();
  countDrop(server, info, reason);
  return false;
}

export function limitOnNode(target: object, limited: LimitedServer): void {
  const server = target as NetServer;
  const emit = server.emit.bind(server) as Emit;
  const value: Emit = (event, ...args) => {
    const [socket] = args;
    const isNew = event === 'connection' && isAccepted(server, socket);
    if (isNew && !admits(server, limited, socket)) return false;
    return emit(event, ...args);
  };
  Object.defineProperty(server, 'emit', bare({ configurable: true, value, writable: true }));
}

/** The members of `net.Socket` that ask for or set something of the connection. */
import type * as nodeNet from 'node:net';
import { linkUnlessReplaced } from '../handle/replaced';
import { kLink, nodeSocket } from '../node/internals';
import type { NetSocket } from '../node/internals';
import { isSameKeepAlive, keepAliveRequest } from './keep-alive';
import { hasTypeOfService, Phase } from './link';
import type { LinkedSocket, SocketLink } from './link';

function setReferenced(socket: NetSocket, link: SocketLink, referenced: boolean): void {
  if (link.phase === Phase.Idle) {
    socket.once('connect', referenced ? socket.ref : socket.unref);
    return;
  }
  link.setReferenced(referenced);
}

export const optionMembers: ThisType<LinkedSocket> & Record<string, unknown> = {
  setNoDelay(enable?: boolean): NetSocket {
    const link = this[kLink];
    if (link === undefined) {
      return nodeSocket.setNoDelay.call(this as never, enable) as unknown as NetSocket;
    }
    const wanted = enable === undefined ? true : Boolean(enable);
    const changes = wanted !== link.noDelay;
    link.noDelay = wanted;
    if (changes) link.setNoDelay(wanted);
    return this;
  },

  setKeepAlive(...args: Parameters<nodeNet.Socket['setKeepAlive']>): NetSocket {
    const link = this[kLink];
    if (link === undefined) {
      return nodeSocket.setKeepAlive.apply(this as never, args) as unknown as NetSocket;
    }
    const { enable, settings } = keepAliveRequest(args);
    const changes =
      enable !== link.keepAlive || (enable && !isSameKeepAlive(settings, link.keepAliveSettings));
    link.keepAlive = enable;
    link.keepAliveSettings = settings;
    if (changes) link.setKeepAlive(enable, settings);
    return this;
  },

  ref(): NetSocket {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.ref.call(this as never) as unknown as NetSocket;
    setReferenced(this, link, true);
    return this;
  },

  unref(): NetSocket {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.unref.call(this as never) as unknown as NetSocket;
    setReferenced(this, link, false);
    return this;
  },

  _getpeername(): object {
    const link = linkUnlessReplaced(this, 'addresses');
    if (link === undefined) return (nodeSocket as unknown as Names)._getpeername.call(this);
    if (this._peername) return this._peername;
    if (link.phase !== Phase.Open || link.connection === null) return {};
    const endpoint = link.connection.peerEndpoint();
    if (typeof endpoint === 'string') return {};
    return (this._peername = endpoint);
  },

  _getsockname(): object {
    const link = linkUnlessReplaced(this, 'addresses');
    if (link === undefined) return (nodeSocket as unknown as Names)._getsockname.call(this);
    if (link.connection === null) return {};
    if (this._sockname) return this._sockname;
    const endpoint = link.connection.localEndpoint();
    return (this._sockname = typeof endpoint === 'string' ? {} : endpoint);
  },
};

interface TypeOfService {
  setTypeOfService(this: NetSocket, value: number): NetSocket;
}

if (hasTypeOfService) {
  // Node's own checks the value and sets it through the handle.
  optionMembers.setTypeOfService = function setTypeOfService(this: LinkedSocket, value: number) {
    (nodeSocket as unknown as TypeOfService).setTypeOfService.call(this, value);
    const link = this[kLink];
    if (link !== undefined) link.typeOfService = value;
    return this;
  };
}

interface Names {
  _getpeername(this: NetSocket): object;
  _getsockname(this: NetSocket): object;
}

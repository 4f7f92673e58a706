/**
 * `iocp-net/dgram`: the exports of `node:dgram`, those of the running Node, with sockets on the
 * completion core.
 */
import { standOn } from '../net/core';
import './lend-to-node';
import { addMissing } from '../net/node/builtin-exports';
import type { createSocket as createSocketOfNode } from 'node:dgram';
import * as nodeDgram from './node-dgram';
import type { DatagramClass } from '../traffic-class';
import { takeOver } from './take-over';
import { givenClass } from './traffic-class';

export type * from 'node:dgram';

type SocketArguments = Parameters<typeof createSocketOfNode>;

export interface SocketOptions extends nodeDgram.SocketOptions {
  /**
   * Which traffic this socket is for, where the engine has a port of its own for that
   * (`engine.configure({ ports })`). Default: `'multicast'` if it is bound to an address of
   * multicast, or by joining a group; `'broadcast'` if it is bound to 255.255.255.255; else
   * `'datagram'`. A socket stays on its port for life. Costs nothing.
   *
   * @throws `ERR_INVALID_ARG_VALUE`, by what makes the socket.
   */
  trafficClass?: DatagramClass | undefined;
}

/** Node's, with our option. */
type CreateSocket = typeof createSocketOfNode &
  ((options: SocketOptions, listener?: SocketArguments[1]) => nodeDgram.Socket);

/** `dgram.Socket` of Node, on the completion core. */
export const Socket = function Socket(this: nodeDgram.Socket, ...args: SocketArguments): void {
  if (new.target === undefined && !(this instanceof Socket)) {
    throw new TypeError("A datagram socket is made with 'new Socket()' or createSocket()");
  }
  const trafficClass = givenClass(args[0]);
  (nodeDgram.Socket as unknown as (this: object, ...args: SocketArguments) => void).apply(
    this,
    args,
  );
  takeOver(this, trafficClass);
} as unknown as typeof nodeDgram.Socket;
export type Socket = nodeDgram.Socket;
standOn(Socket, nodeDgram.Socket);

export const createSocket = function createSocket(
  type: SocketArguments[0],
  listener: SocketArguments[1],
): nodeDgram.Socket {
  return new (Socket as unknown as new (...args: SocketArguments) => nodeDgram.Socket)(
    type,
    listener,
  );
} as CreateSocket;

addMissing(exports as object, process.getBuiltinModule('node:dgram'));

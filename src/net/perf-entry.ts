/**
 * `perf_hooks` entries of type `net`: one for each connect. Only Node's own code can make them, so
 * a socket of Node's on a handle that does nothing is told that a connect has ended.
 */
import diagnosticsChannel from 'node:diagnostics_channel';
import * as nodeNet from './node-net';
import { performance } from 'node:perf_hooks';
import { nodeSocket } from './internals';

type Completed = (
  status: number,
  handle: object,
  request: ConnectRequest,
  readable: boolean,
  writable: boolean,
) => void;

/** What Node hands to a handle's connect(); the entry takes host and port from it. */
interface ConnectRequest {
  address: string;
  port: number;
  oncomplete: Completed;
}

interface Witness {
  socket: nodeNet.Socket & { connecting: boolean };
  handle: object;
  request: ConnectRequest;
  /** When the connect began that is being reported. */
  startTime: number;
}

/** Undefined before the first use, null where this Node cannot be had that way. */
let witness: Witness | null | undefined;

/** A handle of which Node asks nothing but to keep the request. */
class SilentHandle {
  request: ConnectRequest | undefined;

  connect(request: ConnectRequest): number {
    this.request = request;
    return 0;
  }

  close(): void {}
}

const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));

/**
 * Has a socket of Node's connect to several addresses, of which nothing comes. Its request's
 * callback can be called again and again, and is the one that starts and stops the measuring.
 */
function makeWitness(): Witness | null {
  const handle = new SilentHandle();
  const socket = new nodeNet.Socket({
    handle,
    readable: false,
    writable: false,
  } as object) as Witness['socket'];
  (nodeSocket.connect as (options: object) => void).call(socket, {
    port: 1,
    host: 'localhost',
    autoSelectFamily: true,
    lookup: (_host: string, _options: object, callback: (error: null, found: object) => void) =>
      callback(null, addresses),
  });
  const { request } = handle;
  socket.connecting = false;
  if (request === undefined) return null;
  // Failing while not connecting only takes back the timer for the second address.
  request.oncomplete(-1, handle, request, false, false);
  const made = { socket, handle, request, startTime: 0 };
  socket.on('connect', () => setStartTime(made));
  return made;
}

/** Between Node's start and stop: puts the time at which we started in the place of Node's. */
function setStartTime({ socket, startTime }: Witness): void {
  const key = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'kPerfHooksNetConnectContext',
  );
  if (key === undefined) return; // nobody observes
  (socket as unknown as Record<symbol, { startTime: number }>)[key]!.startTime = startTime;
}

const clientSocketChannel = diagnosticsChannel.channel('net.client.socket');

/** Reports a connect that succeeded and began at `startTime`, where anybody observes. */
export function reportConnect(address: string, port: number, startTime: number): void {
  if (witness === undefined) {
    // Making it would show whoever traces sockets one that is nobody's.
    if (clientSocketChannel.hasSubscribers) return;
    witness = makeWitness();
  }
  if (witness === null) return;
  const { socket, handle, request } = witness;
  witness.startTime = startTime;
  request.address = address;
  request.port = port;
  socket.connecting = true;
  request.oncomplete(0, handle, request, false, false);
}

export const connectStarts = (): number => performance.now();

/**
 * `perf_hooks` entries of type `net`: one for each connect. Only Node's own code can make them, so
 * a socket of Node's on a handle that does nothing is told that a connect has ended.
 */
import diagnosticsChannel from 'node:diagnostics_channel';
import { ownSymbol } from '../../own-symbol';
import { bare } from '../bare';
import { nodeSocket } from '../node/internals';
import { SilentHandle, silentSocket } from '../handle/silent-handle';
import type { KeptRequest, SilentSocket } from '../handle/silent-handle';

interface Witness {
  socket: SilentSocket;
  handle: object;
  request: KeptRequest;
  /** When the connect began that is being reported. */
  startTime: number;
}

/** Undefined before the first use, null where this Node cannot be had that way. */
let witness: Witness | null | undefined;

const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));

/**
 * Has a socket of Node's connect to several addresses, of which nothing comes. Its request's
 * callback can be called again and again, and is the one that starts and stops the measuring.
 */
function makeWitness(): Witness | null {
  const handle = new SilentHandle();
  const socket = silentSocket(handle);
  const made = { socket, handle, request: undefined as never, startTime: 0 } as Witness;
  socket.emit = (event: string, ...args: unknown[]) => hear(made, event, args);
  const to = bare({
    port: 1,
    host: 'localhost',
    autoSelectFamily: true,
    lookup: (_host: string, _options: object, callback: (error: null, found: object) => void) =>
      callback(null, addresses),
  });
  (nodeSocket.connect as (options: object) => void).call(socket, to);
  const { request } = handle;
  socket.connecting = false;
  if (request === undefined) return null;
  // Failing while not connecting only takes back the timer for the second address.
  request.oncomplete(-1, handle, request, false, false);
  made.request = request;
  return made;
}

/** Instead of listeners, whose names may be taken on Object.prototype. */
function hear(witness: Witness, event: string, args: readonly unknown[]): boolean {
  if (event === 'connect') setStartTime(witness);
  // An error keeps all that is on the stack until its stack was read, here a socket of the user's.
  if (event === 'connectionAttemptFailed') void (args[3] as Error).stack;
  return false;
}

/** Between Node's start and stop: puts the time at which we started in the place of Node's. */
function setStartTime({ socket, startTime }: Witness): void {
  const key = ownSymbol(socket, 'kPerfHooksNetConnectContext');
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

let clock: Performance | undefined;

/** Now, on the clock of `perf_hooks`, which is loaded with the first connect. */
export function connectStarts(): number {
  clock ??= process.getBuiltinModule('node:perf_hooks').performance;
  return clock.now();
}

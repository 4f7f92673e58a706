/** What is told on the channels of `node:diagnostics_channel` whose names begin with `iocp-net:`. */
import type * as net from 'node:net';
import type { DropStats } from '../drops';
import type { Backend } from '../engine-options';

/** Who drives a port: the event loop of its thread of JavaScript, or a thread beside it. */
export type Driver = 'loop' | 'thread';

/** `iocp-net:engine`: the engine has opened its ports. Once in each thread of JavaScript. */
export interface EngineMessage {
  backend: Exclude<Backend, 'node'>;
  /** What `IOCP_NET_BACKEND` asks for; null where it says nothing. */
  requested: Backend | null;
  /** What could not be used before it: the name of a backend and why, as in `epoll: EMFILE`. */
  refusals: readonly string[];
  /** How many ports were opened. */
  ports: number;
  /** Who drives the first of them. */
  driver: Driver;
  /** Who drives each, in the order of `engine.stats().ports`. */
  drivers: readonly Driver[];
}

/** `iocp-net:fallback`: `node:net` serves this thread of JavaScript. */
export interface FallbackMessage {
  /** Why, in the words of the warning. */
  reason: string;
  /** Whether `IOCP_NET_BACKEND=node` asks for it, so that there is no warning. */
  requested: boolean;
}

/** `iocp-net:connection`: a socket has a connection on the core, before its 'connect' event. */
export interface ConnectionMessage {
  socket: net.Socket;
  /**
   * `'connect'`: it has connected. `'accept'`: a server has accepted it. `'adopt'`: it came with a
   * descriptor or handle that was there before.
   */
  origin: 'connect' | 'accept' | 'adopt';
}

/**
 * `iocp-net:close`: a socket is being destroyed, before its 'close' event. `socket.errored` is the
 * error, if there is one, and `bytesRead` and `bytesWritten` are final. Addresses are known if they
 * were asked for before, as in `iocp-net:connection`: the system forgets those of a closed one.
 */
export interface CloseMessage {
  socket: net.Socket;
}

/**
 * `iocp-net:leave`: a socket parts from its connection, which goes on elsewhere: with a handle of
 * Node's (TLS, HTTP/2), in another process, or with another socket.
 */
export interface LeaveMessage {
  socket: net.Socket;
}

/** `iocp-net:drop`: a limit has dropped a connection, as `engine.stats().drops` counts it. */
export interface DropMessage {
  /** Null where the limit is not a server's. */
  server: net.Server | null;
  reason: keyof DropStats;
  /** Both ends, as the 'drop' event tells them; undefined for a local connection. */
  info: net.DropArgument | undefined;
}

/**
 * `iocp-net:drive`: who drives a port has changed, or its helper has driven meanwhile. JavaScript
 * learns of it when it comes back to its event loop and finds something to do.
 */
export interface DriveMessage {
  /** Its place in `engine.stats().ports`. */
  port: number;
  /** Who drives now. */
  driver: Driver;
  /** Times the helper has driven and given back since the last message. */
  helperTurns: number;
  /** How long it drove in these, in milliseconds. */
  helperMs: number;
}

/** The message of each channel, by the name of the channel. */
export interface DiagnosticsMessages {
  'iocp-net:engine': EngineMessage;
  'iocp-net:fallback': FallbackMessage;
  'iocp-net:connection': ConnectionMessage;
  'iocp-net:close': CloseMessage;
  'iocp-net:leave': LeaveMessage;
  'iocp-net:drop': DropMessage;
  'iocp-net:drive': DriveMessage;
}

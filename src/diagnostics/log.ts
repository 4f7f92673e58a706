/** `NODE_DEBUG=iocp-net`: what our channels tell, as lines on stderr. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { DebugLogger } from 'node:util';
import type { DiagnosticsMessages, DriveMessage, EngineMessage } from './messages';

type Texts = {
  readonly [Name in keyof DiagnosticsMessages]: (message: DiagnosticsMessages[Name]) => string;
};

function ends({ localAddress, localPort, remoteAddress, remotePort }: Partial<Socket>): string {
  const end = (address: string | undefined, port: number | undefined): string =>
    address === undefined ? '?' : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  if (localAddress === undefined && remoteAddress === undefined) return 'a local socket';
  return `${end(localAddress, localPort)} with ${end(remoteAddress, remotePort)}`;
}

/** Each socket has a number, in the order in which the log meets them. */
const numbers = new WeakMap<Socket, number>();
let last = 0;

function numberOf(socket: Socket): string {
  const number = numbers.get(socket) ?? ++last;
  numbers.set(socket, number);
  return `socket ${number}`;
}

function why({ requested, refusals }: EngineMessage): string {
  if (requested !== null) return 'as IOCP_NET_BACKEND asks for';
  return refusals.length === 0 ? 'the first of this system' : `not ${refusals.join(', ')}`;
}

function driven({ helperTurns, helperMs }: DriveMessage): string {
  if (helperTurns === 0) return '';
  return `; the helper drove ${helperTurns} times, ${helperMs.toFixed(1)} ms in all`;
}

function driving({ drivers }: EngineMessage): string {
  const threads = drivers.filter((driver) => driver === 'thread').length;
  if (threads === drivers.length) return 'threads';
  return threads === 0 ? 'the event loop' : `the event loop and ${threads} by threads`;
}

const texts: Texts = {
  'iocp-net:engine': (message) =>
    `engine: ${message.backend}, ${why(message)}; ports: ${message.ports}, ` +
    `driven by ${driving(message)}`,
  'iocp-net:fallback': ({ reason }) => `fallback: node:net serves, because ${reason}`,
  'iocp-net:connection': ({ socket, origin }) => `${numberOf(socket)}: ${origin}, ${ends(socket)}`,
  'iocp-net:close': ({ socket }) =>
    `${numberOf(socket)}: close, ${socket.bytesRead} bytes read, ${socket.bytesWritten} written` +
    (socket.errored ? `, ${String(socket.errored)}` : ''),
  'iocp-net:leave': ({ socket }) => `${numberOf(socket)}: leaves the core`,
  'iocp-net:drop': ({ reason, info }) =>
    `drop: ${reason}, ${info === undefined ? 'a local socket' : ends(info)}`,
  'iocp-net:drive': (message) =>
    `port ${message.port}: driven by ${message.driver === 'loop' ? 'the event loop' : 'a thread'}` +
    driven(message),
};

export function startLog(write: DebugLogger): void {
  for (const [name, text] of Object.entries(texts)) {
    subscribe(name, (message) => write('%s', text(message as never)));
  }
}

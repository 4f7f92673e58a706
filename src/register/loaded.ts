/**
 * Modules of Node's that were loaded before `iocp-net/register` stand on Node's classes: they are
 * moved to ours. Those that load later find ours by themselves.
 */
import { isLoaded } from '../net/node/loaded-modules';
import * as nodeNet from '../net/node/node-net';
import { Server } from '../net/server/server';
import { Socket } from '../net/socket/socket';
import { connect } from '../net/index';

/** What of `net` is replaced: what listens, or what connects. */
export type Part = 'server' | 'client';

interface Class {
  readonly prototype: object;
}

interface Move {
  part: Part;
  /** Its name within Node. */
  loaded: string;
  module: 'http' | 'tls';
  name: string;
  from: Class;
  to: Class;
}

const moves: readonly Move[] = [
  { part: 'server', loaded: '_http_server', module: 'http', name: 'Server' } as const,
  { part: 'server', loaded: 'tls', module: 'tls', name: 'Server' } as const,
  { part: 'client', loaded: 'tls', module: 'tls', name: 'TLSSocket' } as const,
].map((move) => ({
  ...move,
  ...(move.part === 'server'
    ? { from: nodeNet.Server, to: Server }
    : { from: nodeNet.Socket, to: Socket }),
}));

function move({ module, name, from, to }: Move): boolean {
  const found = process.getBuiltinModule(module) as unknown as Record<string, Class>;
  const moved = found[name];
  if (moved === undefined || Object.getPrototypeOf(moved.prototype) !== from.prototype)
    return false;
  Object.setPrototypeOf(moved.prototype, to.prototype);
  Object.setPrototypeOf(moved, to);
  return true;
}

/** Up to Node 20 the agent of `http` keeps Node's function, later it looks it up. */
function moveAgent(): boolean {
  const { Agent } = process.getBuiltinModule('http');
  const members = Agent.prototype as unknown as { createConnection: unknown };
  if (members.createConnection !== nodeNet.connect) return false;
  members.createConnection = connect;
  return true;
}

/** Returns the names of what it has moved. */
export function standLoadedOnOurs(wanted: readonly Part[]): string[] {
  const moved = moves
    .filter((each) => wanted.includes(each.part) && isLoaded(each.loaded) && move(each))
    .map(({ module, name }) => `${module}.${name}`);
  if (wanted.includes('client') && isLoaded('_http_agent') && moveAgent()) moved.push('http.Agent');
  return moved;
}

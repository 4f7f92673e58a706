/**
 * A worker of a cluster on Windows: asks the primary for a listening socket and accepts from it on
 * the core. What the primary does not share that way, it does not know of, or is no TCP server of
 * ours goes Node's way.
 */
import type { Worker } from 'node:cluster';
import type { ErrorName } from '../../port/contract';
import { has } from '../bare';
import { isOurs, primaryVariable, tell } from './messages';
import type { Answer, Channel, Query } from './messages';
import { core } from '../core';
import { errnoOf } from '../node/errors';
import { SharedListener } from '../server/shared-listener';
import type { NetServer } from '../node/internals';

/** What Node's `listen()` asks of the cluster module. */
interface ServerQuery {
  address: string | null;
  port: number | null;
  addressType: number | string | null;
  fd?: number | null;
  flags?: number;
  backlog?: number;
}

type HandleCallback = (error: number, handle: object | null) => void;

interface ClusterModule {
  _getServer?(server: object, query: ServerQuery, callback: HandleCallback): void;
  worker: Worker & { state?: string };
}

interface TicketServer {
  _getServerData?(): unknown;
  _setServerData?(data: unknown): void;
}

const clusterModule = (): ClusterModule =>
  process.getBuiltinModule('node:cluster') as unknown as ClusterModule;

/** Node's flag for `ipv6Only`. */
const IPV6_ONLY = 1;

const primary = process as unknown as Channel;
const waiting = new Map<number, (answer: Answer) => void>();
let lastSeq = 0;

/** Numbers servers that listen on the same address, from 0 again when all are closed. */
class Indices {
  readonly #sets = new Map<string, { next: number; open: number }>();

  take(key: string): number {
    const set = this.#sets.get(key) ?? { next: 0, open: 0 };
    this.#sets.set(key, set);
    set.open++;
    return set.next++;
  }

  give(key: string): void {
    const set = this.#sets.get(key);
    if (set !== undefined && --set.open === 0) this.#sets.delete(key);
  }
}

const indices = new Indices();
/** Servers on shared sockets. */
const servers = new Set<NetServer>();

function ask(
  server: NetServer & TicketServer,
  query: ServerQuery,
  otherwise: () => void,
  callback: HandleCallback,
): void {
  const place = `${query.address}:${query.port}:${Number(query.addressType)}`;
  const index = indices.take(place);
  const seq = ++lastSeq;
  const fail = (error: ErrorName): void => {
    indices.give(place);
    callback(errnoOf(error), null);
  };
  waiting.set(seq, (answer) => {
    const transport = core();
    if (has(answer, 'refused') || transport === null) {
      indices.give(place);
      otherwise();
      return;
    }
    if (has(answer, 'error')) return fail(answer.error);
    const handle = transport.takeShared(Buffer.from(answer.token, 'base64'));
    if (typeof handle === 'string') return fail(handle);
    server._setServerData?.(answer.data);
    server.once('listening', () => announce(server, query));
    callback(0, sharedListener(server, handle, place, answer.key));
  });
  tell(primary, questionOf(server, query, seq, index));
}

function sharedListener(
  server: NetServer,
  handle: number,
  place: string,
  key: string,
): SharedListener {
  servers.add(server);
  return new SharedListener(handle, () => {
    servers.delete(server);
    indices.give(place);
    tell(primary, { act: 'close', key });
  });
}

function questionOf(server: TicketServer, query: ServerQuery, seq: number, index: number): Query {
  const { address, port, addressType, flags, backlog } = query;
  return {
    ask: 'listen',
    seq,
    address,
    port: Number(port),
    addressType: Number(addressType),
    backlog: backlog || 511,
    ipv6Only: (Number(flags) & IPV6_ONLY) !== 0,
    index,
    data: server._getServerData?.() ?? null,
  };
}

/** What Node's cluster module tells the primary, for its 'listening' events. */
function announce(server: NetServer, query: ServerQuery): void {
  const { worker } = clusterModule();
  worker.state = 'listening';
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : query.port;
  const message = { cmd: 'NODE_CLUSTER', act: 'listening', ...query, port };
  if (process.connected) process.send?.(message, undefined, { swallowErrors: true } as never);
}

/** `isOurServer`: whether the server listens by our `_listen2`. */
export function askPrimaryFirst(isOurServer: (server: object) => server is NetServer): void {
  const isKnown = process.env[primaryVariable] === '1';
  // Not for the children of this process.
  Reflect.deleteProperty(process.env, primaryVariable);
  if (!isKnown) return;
  const cluster = clusterModule();
  const { _getServer: nodeGetServer } = cluster;
  if (nodeGetServer === undefined) return;
  cluster._getServer = function _getServer(server, query, callback) {
    const otherwise = (): void => nodeGetServer.call(cluster, server, query, callback);
    const isTcp = typeof query.port === 'number' && query.port >= 0 && typeof query.fd !== 'number';
    if (isTcp && isOurServer(server) && core() !== null) ask(server, query, otherwise, callback);
    else otherwise();
  };
  primary.on('internalMessage', (message) => {
    if (!isOurs(message) || !has(message, 'answers')) return;
    const take = waiting.get(message.answers);
    waiting.delete(message.answers);
    take?.(message);
  });
  // Node closes the servers that it knows of before it disconnects.
  primary.once('disconnect', () => {
    for (const server of servers) server.close();
  });
}

/**
 * The limits of one server: who is let in, and who of them has to go. Loaded with the first server
 * that has limits; one without knows nothing of this but that its `kLimits` is absent.
 *
 * Counted are sockets, not connections, from their admission until they are destroyed. So it holds
 * also for a socket that goes on with a handle of Node's, as under TLS, or on `node:net` altogether.
 */
import { checkServerLimits } from '../../limit-options';
import type { LimitReason, ServerLimits } from '../../limit-options';
import type { Arrival } from '../../port/contract';
import { bare } from '../bare';
import { kLimits } from '../node/internals';
import type { NetServer, NetSocket } from '../node/internals';
import { limitQueue } from '../socket/queue-limit';
import { AcceptRate } from './accept-rate';
import { AddressCounts, networkOf } from './address-counts';
import { AdmittedSocket } from './admitted-socket';
import { countDrop, infoOf } from './drop';
import { Inspections, type Inspection } from './inspections';

/** An idle socket is looked at so many times until it is destroyed. */
const IDLE_LOOKS = 4;

/** Where a connection comes from, as it is counted; null where it has no address. */
function networkOfPeer(arrival: Pick<Arrival, 'kind' | 'peerEndpoint'>): string | null {
  if (arrival.kind === 'local') return null;
  const peer = arrival.peerEndpoint();
  // Gone already: it does not matter where it is counted.
  return typeof peer === 'string' ? null : networkOf(peer);
}

export class LimitedServer {
  readonly #server: NetServer;
  readonly limits: ServerLimits;
  readonly #addresses = new AddressCounts();
  readonly #rate: AcceptRate | null;
  readonly #inspections: Inspections<AdmittedSocket> | null;
  #open = 0;
  /** Where the connection comes from that was just allowed in. */
  #network: string | null = null;

  constructor(server: NetServer, limits: ServerLimits) {
    this.#server = server;
    this.limits = limits;
    const { acceptsPerSecond, acceptBurst = acceptsPerSecond ?? 1 } = limits;
    this.#rate =
      acceptsPerSecond === undefined ? null : new AcceptRate(acceptsPerSecond, acceptBurst);
    const inspections = this.#inspectionsOf(limits);
    this.#inspections = inspections.length === 0 ? null : new Inspections(inspections);
  }

  #inspectionsOf({ firstByteMs, idleMs }: ServerLimits): Inspection<AdmittedSocket>[] {
    const inspections: Inspection<AdmittedSocket>[] = [];
    if (firstByteMs !== undefined) {
      inspections.push({
        intervalMs: firstByteMs,
        look: (admitted) => {
          if (!admitted.hasReceived()) this.expel(admitted, 'firstByteMs', firstByteMs);
          return 'done';
        },
      });
    }
    if (idleMs !== undefined) {
      inspections.push({
        intervalMs: idleMs / IDLE_LOOKS,
        look: (admitted, at) => {
          if (admitted.idleFor(at) < idleMs) return 'again';
          this.expel(admitted, 'idleMs', idleMs);
          return 'done';
        },
      });
    }
    return inspections;
  }

  /** The limit that a new connection exceeds; null where it may come in: `admit` is next then. */
  reasonToRefuse(arrival: Pick<Arrival, 'kind' | 'peerEndpoint'>): LimitReason | null {
    const { connections, connectionsPerAddress } = this.limits;
    if (connections !== undefined && this.#open >= connections) return 'connections';
    if (connectionsPerAddress !== undefined) {
      const network = networkOfPeer(arrival);
      this.#network = network;
      const isFull = network !== null && this.#addresses.count(network) >= connectionsPerAddress;
      if (isFull) return 'connectionsPerAddress';
    }
    // The last, so that who is turned away anyway takes no turn from others.
    if (this.#rate !== null && !this.#rate.take()) return 'acceptsPerSecond';
    return null;
  }

  /** Follows the socket of the connection that was asked about last. */
  admit(socket: NetSocket): void {
    const { queuedBytes } = this.limits;
    const network = this.#network;
    const admitted = new AdmittedSocket(socket, (each) => this.#leave(each, network));
    this.#open++;
    if (network !== null) this.#addresses.add(network);
    this.#inspections?.add(admitted);
    if (queuedBytes === undefined) return;
    const exceeded = (): void => this.expel(admitted, 'queuedBytes', queuedBytes);
    admitted.limitsQueue = (each) => limitQueue(each, queuedBytes, exceeded);
    admitted.limitsQueue(socket);
  }

  #leave(admitted: AdmittedSocket, network: string | null): void {
    this.#open--;
    if (network !== null) this.#addresses.remove(network);
    this.#inspections?.remove(admitted);
  }

  /** Destroys a socket that had been let in. */
  expel(admitted: AdmittedSocket, reason: LimitReason, limit: number): void {
    const info = infoOf(admitted.socket);
    admitted.destroy(reason, limit);
    countDrop(this.#server, info, reason);
  }
}

/** Gives a server limits; null where there are none. Throws for bad ones. */
export function limit(server: object, given: unknown): LimitedServer | null {
  const limits = checkServerLimits(given);
  if (limits === null) return null;
  const limited = new LimitedServer(server as NetServer, limits);
  Object.defineProperty(server, kLimits, bare({ value: limited }));
  return limited;
}

/** A socket that a server with limits has let in, and what the limits see of it. */
import type { LimitReason } from '../../limit-options';
import { bare } from '../bare';
import { limitExceeded } from '../node/errors';
import { kAdmitted, kConnection } from '../node/internals';
import type { NetSocket } from '../node/internals';

const now = performance.now.bind(performance);

/** Of a connection of ours, and of Node's native handles. */
interface Counts {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
  readonly reading?: boolean;
}

/** The method that the socket would have had, as `Object.getPrototypeOf` has it. */
function inherited(socket: object, name: string): (...args: unknown[]) => unknown {
  const prototype = Object.getPrototypeOf(socket) as object;
  return Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
}

/**
 * On the socket itself: nothing of it may be seen by other sockets, nor forgotten because somebody
 * removes all listeners of `'close'`.
 */
const destroyed = bare({
  configurable: true,
  writable: true,
  value: function _destroy(this: NetSocket & { [kAdmitted]?: AdmittedSocket }, ...args: unknown[]) {
    this[kAdmitted]?.leave();
    return inherited(this, '_destroy').apply(this, args);
  },
});

export class AdmittedSocket {
  readonly socket: NetSocket;
  /** Put on a TLS socket, too, that gets the socket below itself. */
  limitsQueue: ((socket: NetSocket) => void) | null = null;
  /** The TLS socket above. */
  #secure: NetSocket | null = null;
  #left: ((admitted: AdmittedSocket) => void) | null;
  #moved = 0;
  #quietSince = now();

  constructor(socket: NetSocket, left: (admitted: AdmittedSocket) => void) {
    this.socket = socket;
    this.#left = left;
    Object.defineProperty(socket, kAdmitted, bare({ configurable: true, value: this }));
    Object.defineProperty(socket, '_destroy', destroyed);
  }

  /** The socket is nobody's business any more. */
  leave(): void {
    const left = this.#left;
    this.#left = null;
    left?.(this);
  }

  /** TLS has put a socket of its own above. */
  secureBy(secure: NetSocket): void {
    this.#secure = secure;
    this.limitsQueue?.(secure);
  }

  #counts(): Counts | null {
    return this.socket[kConnection] ?? (this.socket._handle as Counts | null);
  }

  /** Whether the client has sent anything, be it that nobody has read it. */
  hasReceived(): boolean {
    const counts = this.#counts();
    // With neither connection nor handle it is being closed, or somebody else's.
    if (counts === null || counts.bytesRead > 0) return true;
    // A handle of Node's cannot be asked what it has not read.
    return this.socket[kConnection]?.hasUnread() ?? counts.reading === false;
  }

  /** For how long no byte has moved, as far as looks can tell: never too long. */
  idleFor(at: number): number {
    const counts = this.#counts();
    if (counts === null) return 0;
    const moved = counts.bytesRead + counts.bytesWritten - counts.writeQueueSize;
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#quietSince = at;
    }
    return at - this.#quietSince;
  }

  destroy(reason: LimitReason, limit: number): void {
    this.leave();
    if (reason === 'queuedBytes') resetWhenDestroyed(this.socket);
    // TLS tells its program of the error, and closes what is below.
    destroyFor(this.#secure ?? this.socket, reason, limit);
  }
}

/**
 * What is queued in a connection of ours is to be free at once, and not after the time that a closed
 * one may go on sending. Node closes its own at once in any case.
 */
export function resetWhenDestroyed(socket: NetSocket): void {
  if (!socket.connecting && socket[kConnection]?.kind === 'tcp') socket.resetAndClosing = true;
}

/** Without an error where nobody listens for one: no client is to end the process by a limit. */
export function destroyFor(socket: NetSocket, reason: LimitReason, limit: number): void {
  const isHeard = socket.listenerCount('error') > 0;
  socket.destroy(isHeard ? limitExceeded(reason, limit) : undefined);
}

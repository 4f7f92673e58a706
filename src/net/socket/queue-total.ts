/**
 * A limit on the bytes that wait in all sockets to be sent. Of a socket it is known what waited after
 * its last `write()`; what has left since is found out when the sum exceeds the limit, by a look at
 * all whose queue was not empty. So the sum is never too small, and a write costs a comparison.
 */
import { environment } from '../../environment';
import type { LimitReason } from '../../limit-options';
import type { NetSocket } from '../node/internals';
import { destroyFor, resetWhenDestroyed } from '../server/admitted-socket';
import { countDrop, infoOf } from '../server/drop';
import { lookingMembers } from './queue-limit';

const reason: LimitReason = 'totalQueuedBytes';

const queued = environment().queued;

function note(socket: NetSocket): void {
  const before = queued.bySocket.get(socket) ?? 0;
  const now = socket.destroyed ? 0 : socket.writableLength;
  if (now === before) return;
  queued.bytes += now - before;
  if (now === 0) queued.bySocket.delete(socket);
  else queued.bySocket.set(socket, now);
}

/** Counts anew; returns the socket in which most waits. */
function countAll(): NetSocket | null {
  let longest: NetSocket | null = null;
  for (const socket of [...queued.bySocket.keys()]) {
    note(socket);
    if (longest === null || socket.writableLength > longest.writableLength) longest = socket;
  }
  return longest;
}

function expel(socket: NetSocket, limit: number): void {
  const info = infoOf(socket);
  resetWhenDestroyed(socket);
  destroyFor(socket, reason, limit);
  note(socket);
  countDrop(socket._server ?? null, info, reason);
}

/** So many sockets in the count may be drained or closed before that is found out. */
const FEWEST_BETWEEN_COUNTS = 1024;

let nextCount = FEWEST_BETWEEN_COUNTS;

/** The memory of the count itself is bounded by the sockets in which something waits. */
function forgetDrained(): void {
  if (queued.bySocket.size < nextCount) return;
  countAll();
  nextCount = FEWEST_BETWEEN_COUNTS + 2 * queued.bySocket.size;
}

function look(socket: NetSocket, limit: number): void {
  note(socket);
  forgetDrained();
  while (queued.bytes > limit) {
    const longest = countAll();
    if (longest === null || queued.bytes <= limit) return;
    expel(longest, limit);
  }
}

/** What the prototype of our sockets gets. */
export function countingMembers(prototype: object, limit: number): object {
  return lookingMembers(prototype, (socket) => look(socket, limit));
}

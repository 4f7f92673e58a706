/**
 * The ports and pipes of listeners that were told to close and whose sockets are still open. With `node:net`
 * an address is free when `server.close()` returns, so who listens there in the same tick waits.
 */
import { pause } from '../../port/wait';

/** A port, or the path of a pipe. */
type Place = number | string;

const closing = new Map<Place, number>();

const LONGEST_WAIT_MS = 500;

export function portCloses(port: Place): void {
  closing.set(port, (closing.get(port) ?? 0) + 1);
}

export function portClosed(port: Place): void {
  const left = (closing.get(port) ?? 1) - 1;
  if (left > 0) closing.set(port, left);
  else closing.delete(port);
}

/**
 * Binds. While the port is one that is being closed, an address in use is tried again: closing
 * takes a thread that drives some microseconds.
 */
export function bindWhenClosed<Result>(port: Place, bind: () => Result): Result {
  let result = bind();
  for (let waited = 0; waited < LONGEST_WAIT_MS; waited++) {
    if (result !== 'EADDRINUSE' || !closing.has(port)) break;
    pause(1);
    result = bind();
  }
  return result;
}

/**
 * `process._getActiveHandles()` and `process.getActiveResourcesInfo()`: Node's list what libuv has,
 * and ours is none of that. Programs look there for what keeps a process, test runners for what was
 * left open, and metrics count it.
 */
import type { Connection, Listener, Transport } from '../../port/contract';

interface ActiveLists {
  _getActiveHandles?(): unknown[];
  getActiveResourcesInfo?(): string[];
}

type Active = Connection | Listener;

const isConnection = (each: Active): each is Connection => 'bytesRead' in each;

/** Node's names. */
function nameOf(each: Active): string {
  if (each.kind === 'local') return 'PipeWrap';
  return isConnection(each) ? 'TCPSocketWrap' : 'TCPServerWrap';
}

/** As Node's lists have it: what is referenced and not yet closed, whether it does anything or not. */
function activeOf(transport: Transport): Active[] {
  const connections = transport.connections().filter(({ owner }) => owner !== null);
  return [...transport.listeners(), ...connections].filter((each) => each.hasRef());
}

/** Puts what is on our core into the lists of `process` from here on. */
export function listActive(transport: Transport, process: NodeJS.Process): void {
  const lists = process as unknown as ActiveLists;
  const { _getActiveHandles: handles, getActiveResourcesInfo: info } = lists;
  if (handles !== undefined) {
    lists._getActiveHandles = function _getActiveHandles() {
      return [...handles.call(process), ...activeOf(transport).map(({ owner }) => owner?.shownAs)];
    };
  }
  if (info !== undefined) {
    lists.getActiveResourcesInfo = function getActiveResourcesInfo() {
      return [...info.call(process), ...activeOf(transport).map(nameOf)];
    };
  }
}

/** What `iocp-net top` shows of one process. */
import type { EndpointSnapshot, ServerSnapshot } from '../../endpoint/snapshot';
import { columns, showBytes } from '../table';
import type { Rates } from './rates';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const count = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
const perSecond = (value: number): string => `${count(value)}/s`;
const bytesPerSecond = (value: number): string => `${showBytes(value)}/s`;

/** A terminal would obey what another process has put into a name. */
const harmless = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- the range is meant
  text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');

function showDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function title({ pid, thread, program, backend, node, reason, uptimeSeconds }: EndpointSnapshot) {
  const worker = thread === 0 ? '' : ` worker ${thread}`;
  const line = `${pid}${worker}  ${program}  ${backend}  Node ${node}  up ${showDuration(uptimeSeconds)}`;
  return [line, ...(reason === null ? [] : [`runs on node:net, because ${reason}`])].map(harmless);
}

/** The ports that threads drive, by what they are for. */
function threads({ stats }: EndpointSnapshot): string {
  const driven = stats.ports.filter(({ driver }) => driver === 'thread');
  return [...new Set(driven.map(({ classes }) => classes.join(' and ')))].join(', ');
}

/** Who drives: words instead of a table of times. */
function drivers(now: EndpointSnapshot, { waiting, helping }: Rates): string {
  const { backend, helper, stats } = now;
  if (backend === 'node') return 'libuv';
  if (stats.ports.every(({ driver }) => driver === 'thread')) return 'threads of the ports';
  const loop = `event loop (waits ${percent(waiting)})`;
  const isHelped = helper === 'auto';
  const words = isHelped ? [loop, `helper ${percent(helping)}`] : [loop];
  const others = threads(now);
  return [...words, ...(others === '' ? [] : [`threads of ${others}`])].join(', ');
}

const byLimit = (values: object): string =>
  Object.entries(values)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name} ${count(Number(value))}`)
    .join(', ');

function showServer(server: ServerSnapshot): string[] {
  const { address, connections, maxConnections, limits } = server;
  const most = maxConnections === null ? {} : { maxConnections };
  return [harmless(address), count(connections), byLimit({ ...most, ...limits }) || 'no limits'];
}

/** The table, line by line. */
export function viewLines(now: EndpointSnapshot, rates: Rates): string[] {
  const { stats, queues, rssBytes, servers, limits } = now;
  const { chunksInUse, chunksTotal, socketsOpen, listenersOpen, drops } = stats;
  const rows: (readonly [string, string])[] = [
    ['drives', drivers(now, rates)],
    [
      'load',
      `${rates.cores.toFixed(2)} cores, event loop ${percent(rates.utilization)}, ${showBytes(rssBytes)}`,
    ],
    ['sockets', `${count(socketsOpen)} open, ${count(listenersOpen)} listening`],
    [
      '',
      `${perSecond(rates.accepted)} accepted, ${perSecond(rates.connected)} connected, ${perSecond(rates.closed)} closed`,
    ],
    ['received', bytesPerSecond(rates.bytesReceived)],
    ['sent', `${bytesPerSecond(rates.bytesSent)} in ${perSecond(rates.sends)}`],
    [
      'system',
      `${perSecond(rates.osCalls)} calls, ${perSecond(rates.packets)} events in ${perSecond(rates.batches)} batches`,
    ],
    [
      'queued',
      `${showBytes(queues.bytesWaiting)} in ${count(queues.socketsWaiting)} sockets, the longest ${showBytes(queues.longestBytes)}${limits?.queuedBytes === undefined ? '' : ` (limit ${showBytes(limits.queuedBytes)})`}`,
    ],
    [
      '',
      `${count(chunksInUse)} of ${count(chunksTotal)} receive chunks, ${perSecond(rates.receivesStarved)} receives had to wait`,
    ],
    ['dropped', `${byLimit(drops) || 'none'} (${perSecond(rates.drops)})`],
  ];
  const lines = rows.map(([label, text]) => `${label.padEnd(10)}${text}`);
  if (servers.length === 0) return [...title(now), ...lines];
  const table = columns([['server', 'connections', 'limits'], ...servers.map(showServer)]);
  return [...title(now), ...lines, '', ...table];
}

/** The list of what there is. */
export function listLines(found: readonly EndpointSnapshot[]): string[] {
  return columns([
    ['program', 'pid', 'backend', 'sockets', 'received', 'sent', 'up'],
    ...found.map(({ program, pid, thread, backend, stats, uptimeSeconds }) => [
      harmless(program),
      thread === 0 ? `${pid}` : `${pid}-${thread}`,
      backend,
      count(stats.socketsOpen),
      showBytes(stats.bytesReceived),
      showBytes(stats.bytesSent),
      showDuration(uptimeSeconds),
    ]),
  ]);
}

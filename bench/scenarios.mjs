// What is measured, and what is asked of it.
//
// A scenario says which server, which load, and how both are placed: `apart` is the server on one
// core and the load on another, so that CPU time is not mixed; `together` is both on one core, as
// on the smallest machines one rents; `anywhere` leaves both to the system on all cores, which is
// what throughput means to a user. `unit` is what CPU time is divided by. `quick` ones are what a
// quick look has time for.
//
// Each server is warmed up with the load that is then measured, but where `fresh` is set: there each
// window has a process of its own, since what it measures is how much that grows.
//
// A goal names a figure of ours and its ratio to node:net's: `atMost` or `atLeast`.
import { matches } from './selection.mjs';

export const count = (connections) =>
  `${connections.toLocaleString('en')} connection${connections > 1 ? 's' : ''}`;

const atMost = (figure, ratio) => ({ figure, atMost: ratio });
const atLeast = (figure, ratio) => ({ figure, atLeast: ratio });
const goal = (cpu, rate) => [atMost('cpu', cpu), atLeast('rate', rate)];

export const PLACES = { together: 'one core', anywhere: 'not pinned' };

/** The same elsewhere. Nothing more is asked of it than of all: not to be worse. */
const placed = (placement, scenario) => ({
  ...scenario,
  name: `${scenario.name}, ${PLACES[placement]}`,
  placement,
  peers: false,
  goals: [],
  quick: false,
});

const echo = (connections, size, label, more = {}) => ({
  name: `echo, ${count(connections)}, ${label}`,
  group: 'echo',
  server: 'echo',
  unit: 'message',
  placement: 'apart',
  load: { mode: 'echo', connections, size },
  ...more,
});

/** In an open loop, at a share of what the slower of the two can. */
const paced = (share) => ({
  name: `echo, 64 connections, 64 B, at ${100 * share} % of what the slower arm can`,
  group: 'paced',
  server: 'echo',
  unit: 'message',
  placement: 'apart',
  load: { mode: 'echo', connections: 64, size: 64, share },
  goals: [atMost('cpu', 0.85), atMost('p50', 1), atMost('p99', 1)],
});

const bulk = (direction, connections, more = {}) => {
  const [server, mode] =
    direction === 'server to client' ? ['source', 'receive'] : ['sink', 'send'];
  return {
    name: `bulk, ${direction}, ${count(connections)}`,
    group: 'bulk',
    server,
    unit: 'GB',
    placement: 'apart',
    load: { mode, connections },
    goals: goal(0.9, 1),
    ...more,
  };
};

const http = (tool, connections, goals, { server = 'http', pipelining = 1, ...more } = {}) => ({
  name:
    `${server.toUpperCase()}, ${tool} -c ${connections}` +
    (pipelining > 1 ? `, ${pipelining} under way each` : ''),
  group: 'http',
  server,
  unit: 'request',
  placement: 'apart',
  load: { mode: 'http', tool, connections, pipelining, secure: server === 'https' },
  goals,
  ...more,
});

/** Ours against ours: does the company of others cost the busy ones anything? */
const company = (name, load, others, goals, files) => ({
  name,
  group: 'company',
  server: 'echo',
  unit: 'message',
  placement: 'apart',
  load,
  others,
  goals,
  files,
});

const JS_ECHO = atMost('cpuMain', 0.25);
const JS_HTTP = atMost('cpuMain', 0.6);

const echoes = [
  echo(1, 64, '64 B', {
    goals: [...goal(0.95, 1.05), atMost('p50', 1)],
    peers: true,
    quick: true,
  }),
  echo(8, 64, '64 B', { goals: goal(0.75, 1.3), peers: true, quick: true }),
  echo(64, 64, '64 B', { goals: [...goal(0.65, 1.5), JS_ECHO], peers: true, quick: true }),
  echo(1000, 64, '64 B', { goals: [...goal(0.65, 1.5), JS_ECHO], peers: true, quick: true }),
  echo(64, 4096, '4 KiB', { goals: goal(0.8, 1.2), peers: true }),
];

const requests = [
  http('wrk', 1, goal(1, 1), { quick: true }),
  http('wrk', 8, goal(0.9, 1.1)),
  http('wrk', 64, [...goal(0.8, 1.25), JS_HTTP], { peers: true, quick: true }),
  http('wrk', 64, goal(0.55, 1.8), { pipelining: 10, peers: true }),
];

const main = [...echoes, ...requests];

const all = () => [
  ...echoes,
  echo(5000, 64, '64 B', { goals: goal(0.7, 1.4), peers: true, files: 5200 }),
  echo(1000, 4096, '4 KiB', { goals: goal(0.8, 1.2) }),
  echo(64, 16_384, '16 KiB', { goals: goal(0.8, 1.2) }),
  echo(1000, 16_384, '16 KiB', { goals: goal(0.8, 1.2) }),
  {
    ...echo(64, 64, '64 B, 16 under way each'),
    load: { mode: 'echo', connections: 64, size: 64, depth: 16 },
    goals: goal(0.8, 1.3),
  },
  paced(0.2),
  paced(0.7),
  {
    name: 'connect, one round trip, close; 64 at a time',
    group: 'churn',
    server: 'echo',
    unit: 'connection',
    placement: 'apart',
    load: { mode: 'churn', connections: 64, size: 64 },
    goals: goal(0.85, 1.2),
  },
  {
    name: 'accept storm: 1,500 new clients on 500 busy ones',
    group: 'storm',
    server: 'echo',
    unit: 'new client',
    placement: 'apart',
    peers: true,
    load: { mode: 'storm', connections: 500, newcomers: 1500, size: 64 },
    goals: [atMost('seconds', 1 / 15)],
  },
  ...[1, 8, 100].flatMap((connections) =>
    ['server to client', 'client to server'].map((direction) =>
      bulk(direction, connections, { peers: connections === 8 }),
    ),
  ),
  {
    name: '10,000 idle connections',
    group: 'idle',
    server: 'echo',
    unit: 'connection',
    placement: 'apart',
    load: { mode: 'idle', connections: 10_000 },
    goals: [atMost('bytesPerConnection', 1.2)],
    files: 10_200,
    fresh: true,
  },
  company(
    'echo, 100 connections alone → with 9,900 quiet ones',
    { mode: 'echo', connections: 100, size: 64 },
    { quiet: 9900 },
    [atLeast('rate', 0.9)],
    10_200,
  ),
  company(
    'echo, 63 connections alone → with a slow reader',
    { mode: 'echo', connections: 63, size: 64 },
    { slow: 1 },
    [atLeast('rate', 0.97)],
  ),
  ...requests,
  // So few that an answer which waits for another's leaves both peers idle.
  ...[2, 4].map((connections) => http('wrk', connections, goal(1, 1))),
  http('autocannon', 1, goal(1, 1)),
  http('autocannon', 10, goal(0.95, 1)),
  http('autocannon', 100, goal(0.9, 1)),
  ...[1, 8, 64].map((connections) => http('wrk', connections, goal(1, 1), { server: 'https' })),
  ...main.map((scenario) => placed('together', scenario)),
  ...main.map((scenario) => placed('anywhere', scenario)),
  {
    name: 'OS calls of all threads, echo, 64 connections, 64 B',
    group: 'calls',
    server: 'echo',
    unit: 'message',
    placement: 'apart',
    load: { mode: 'echo', connections: 64, size: 64 },
    goals: [atMost('allCalls', 0.6)],
  },
];

/**
 * Those that are named, else all, or what a quick look has time for. A `placement` moves all of
 * them there.
 */
export function scenarios({ quick, only, placement }) {
  const wanted = all().filter((scenario) =>
    only === undefined
      ? !quick || scenario.quick
      : only.some((phrase) => phrase === scenario.group || matches(phrase, scenario.name)),
  );
  if (placement === undefined) return wanted;
  // What is elsewhere by itself would be there twice.
  return wanted
    .filter((scenario) => scenario.placement === 'apart')
    .map((scenario) => (placement === 'apart' ? scenario : placed(placement, scenario)));
}

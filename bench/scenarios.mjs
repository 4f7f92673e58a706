// What is measured, and what is asked of it.
//
// A scenario says which server, which load, and how both are placed: `apart` is the server on one
// core and the load on another, so that CPU time is not mixed; `shared` leaves both to the system
// on all cores, which is what throughput means to a user. `unit` is what CPU time is divided by.
//
// A goal names a figure of ours, the arm it is held against, and the ratio: `atMost` or `atLeast`.
const count = (connections) =>
  `${connections.toLocaleString('en')} connection${connections > 1 ? 's' : ''}`;

export const NODE = 'node:net';
export const URING = 'C++ io_uring';
export const BUN = 'Bun';

const atMost = (figure, ratio, against = NODE) => ({ figure, against, atMost: ratio });
const atLeast = (figure, ratio, against = NODE) => ({ figure, against, atLeast: ratio });

const onAllCores = (scenario) => ({
  ...scenario,
  name: `${scenario.name}, not pinned`,
  placement: 'shared',
});

const echo = (connections, size, label, more = {}) => ({
  name: `echo, ${count(connections)}, ${label}`,
  group: 'echo',
  server: 'echo',
  unit: 'message',
  placement: 'apart',
  peers: true,
  load: { mode: 'echo', connections, size },
  ...more,
});

const bulk = (name, server, mode, connections, goals) => ({
  name: `bulk, ${name}, ${count(connections)}`,
  group: 'bulk',
  server,
  unit: 'GB',
  placement: 'apart',
  peers: true,
  load: { mode, connections },
  goals,
});

const http = (name, tool, more) => ({
  name: `HTTP, ${name}`,
  group: 'http',
  server: 'http',
  unit: 'request',
  placement: 'apart',
  peers: true,
  load: { mode: 'http', tool, connections: 100, pipelining: 1, ...more },
  goals: [
    atMost('cpuMain', 0.55),
    atMost('cpu', 0.9),
    atMost('cpu', 1.3, BUN),
    atMost('cpuMain', 1, BUN),
  ],
});

const storm = (newcomers) => ({
  name: `accept storm: ${newcomers.toLocaleString('en')} new clients on 500 busy ones`,
  group: 'storm',
  server: 'echo',
  unit: 'new client',
  placement: 'apart',
  peers: true,
  load: { mode: 'storm', connections: 500, newcomers, size: 64 },
  goals: [atMost('seconds', 1 / 15), atMost('seconds', 1, BUN)],
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
  long: true,
});

const FAR = [atMost('cpu', 0.68), atMost('cpuMain', 0.15)];
const AGAINST_C = [atMost('cpu', 1.25, URING), atMost('cpu', 1, BUN)];
const FOUR_KIB = [atMost('cpu', 0.75), atMost('cpuMain', 0.25)];
const FROM_CLIENT = [atMost('cpu', 0.5), atLeast('rate', 1.6)];
const TO_CLIENT = [atMost('cpu', 0.75), atLeast('rate', 1.2), atMost('peakBytes', 1)];

const all = (quick) => [
  echo(1, 64, '64 B', { goals: [atMost('p50', 1), atMost('p99', 1), atLeast('rate', 1)] }),
  echo(64, 64, '64 B', { goals: [atMost('cpu', 0.75), atMost('cpuMain', 0.15), ...AGAINST_C] }),
  echo(1000, 64, '64 B', { goals: [...FAR, ...AGAINST_C] }),
  echo(5000, 64, '64 B', { goals: FAR, files: 5200, long: true }),
  echo(64, 4096, '4 KiB', { goals: FOUR_KIB }),
  echo(1000, 4096, '4 KiB', { goals: FOUR_KIB, long: true }),
  echo(1000, 16_384, '16 KiB', { long: true }),
  echo(64, 32_768, '32 KiB', { long: true }),
  {
    ...echo(64, 64, '64 B, 16 under way each', { peers: false }),
    load: { mode: 'echo', connections: 64, size: 64, depth: 16 },
    goals: [atLeast('rate', 1.3), atMost('cpu', 0.8)],
  },
  onAllCores(echo(64, 64, '64 B', { goals: [atLeast('rate', 1.4)] })),
  onAllCores(echo(1000, 64, '64 B', { goals: [atLeast('rate', 1.5)], long: true })),
  onAllCores(echo(64, 4096, '4 KiB', { goals: [atLeast('rate', 1.4)], long: true })),
  onAllCores(echo(1000, 4096, '4 KiB', { goals: [atLeast('rate', 1.4)], long: true })),
  {
    name: 'echo, 64 connections, 64 B, at 70 % of what the slower arm can',
    group: 'paced',
    server: 'echo',
    unit: 'message',
    placement: 'apart',
    peers: true,
    load: { mode: 'echo', connections: 64, size: 64, share: 0.7 },
    goals: [atMost('p99', 0.8)],
  },
  {
    name: 'connect, one round trip, close; 64 at a time',
    group: 'churn',
    server: 'echo',
    unit: 'connection',
    placement: 'apart',
    load: { mode: 'churn', connections: 64, size: 64 },
    goals: [atLeast('rate', 1.3), atMost('cpu', 0.75)],
  },
  storm(quick ? 500 : 1500),
  bulk('server to client', 'source', 'receive', 1, TO_CLIENT),
  bulk('server to client', 'source', 'receive', 8, TO_CLIENT),
  bulk('client to server', 'sink', 'send', 1, FROM_CLIENT),
  bulk('client to server', 'sink', 'send', 8, FROM_CLIENT),
  {
    name: '10,000 idle connections',
    group: 'idle',
    server: 'echo',
    unit: 'connection',
    placement: 'apart',
    load: { mode: 'idle', connections: 10_000 },
    goals: [atMost('bytesPerConnection', 0.7)],
    files: 10_200,
    long: true,
  },
  company(
    'echo, 100 connections alone → with 9,900 quiet ones',
    { mode: 'echo', connections: 100, size: 64 },
    { quiet: 9900 },
    [atLeast('rate', 0.9, 'alone')],
    10_200,
  ),
  company(
    'echo, 63 connections alone → with a slow reader',
    { mode: 'echo', connections: 63, size: 64 },
    { slow: 1 },
    [atLeast('rate', 0.97, 'alone')],
  ),
  http('wrk -c 64', 'wrk', { connections: 64 }),
  http('wrk -c 64, 10 under way each', 'wrk', { connections: 64, pipelining: 10 }),
  http('autocannon -c 100', 'autocannon'),
  { ...http('autocannon -c 100 -p 10', 'autocannon', { pipelining: 10 }), long: true },
  {
    ...onAllCores(http('wrk -c 64', 'wrk', { connections: 64 })),
    goals: [atLeast('rate', 1.3)],
    long: true,
  },
  {
    ...onAllCores(http('autocannon -c 100', 'autocannon')),
    goals: [atLeast('rate', 1.3)],
    long: true,
  },
  {
    name: 'OS calls of all threads, echo, 64 connections, 64 B',
    group: 'calls',
    server: 'echo',
    unit: 'message',
    placement: 'apart',
    peers: true,
    load: { mode: 'echo', connections: 64, size: 64 },
    goals: [atMost('allCalls', 0.6)],
  },
];

/** A quick look leaves out the long ones and makes do with a smaller storm. */
export function scenarios({ quick, only }) {
  if (only === undefined) return all(quick).filter(({ long }) => !(quick && long));
  return all(quick).filter(({ name, group }) =>
    only.some((word) => group === word || name.includes(word)),
  );
}

// What is measured. `unit` is what CPU time is divided by.
const echo = (connections, size, label) => ({
  name: `echo, ${connections.toLocaleString('en')} connection${connections > 1 ? 's' : ''}, ${label}`,
  group: 'echo',
  server: 'echo',
  unit: 'message',
  load: { mode: 'echo', connections, size },
});

const bulk = (name, server, mode) => ({
  name,
  group: 'bulk',
  server,
  unit: '64 KiB',
  load: { mode, connections: 4 },
});

const http = (name, tool, more) => ({
  name: `HTTP, ${name}`,
  group: 'http',
  server: 'http',
  unit: 'request',
  load: { mode: 'http', tool, connections: 100, pipelining: 1, ...more },
});

const storm = (newcomers) => ({
  name: `accept storm: ${newcomers.toLocaleString('en')} new clients on 500 busy ones`,
  group: 'storm',
  server: 'echo',
  unit: 'new client',
  load: { mode: 'storm', connections: 500, newcomers, size: 64 },
});

/** A quick look makes do with a smaller storm, which takes node:net seconds, and one autocannon. */
export function scenarios({ quick, only }) {
  const all = [
    echo(1, 64, '64 B'),
    echo(64, 64, '64 B'),
    echo(1000, 64, '64 B'),
    echo(64, 4096, '4 KiB'),
    storm(quick ? 500 : 1500),
    bulk('bulk, server to client, 4 connections', 'source', 'receive'),
    bulk('bulk, client to server, 4 connections', 'sink', 'send'),
    http('wrk -c 64', 'wrk', { connections: 64 }),
    http('autocannon -c 100', 'autocannon'),
    http('autocannon -c 100 -p 10', 'autocannon', { pipelining: 10, long: true }),
  ];
  if (only === undefined) return all.filter(({ load }) => !(quick && load.long));
  return all.filter(({ name, group }) =>
    only.some((word) => group === word || name.includes(word)),
  );
}

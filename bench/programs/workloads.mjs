// What each program is loaded with.
//
//   title    how its row of the table in docs/benchmarks.md begins
//   server   one of test/programs/servers.mjs; the load is on Node's own net and dgram
//   daemon   a server that is not measured; the load is the program
//   load     'wrk', or one of test/programs/loads
//   unit     what is counted
//   much     how many are under way where nothing else is asked for: what the load says itself
import { mariadb } from '../../test/programs/daemons/mariadb.mjs';
import { nginx } from '../../test/programs/daemons/nginx.mjs';
import { postgresql } from '../../test/programs/daemons/postgresql.mjs';
import { redis } from '../../test/programs/daemons/redis.mjs';
import { statsd } from '../../test/programs/daemons/statsd.mjs';
import { servers } from '../../test/programs/servers.mjs';

const served = (name, title, load, unit, much) => ({
  name,
  title,
  server: servers.find((server) => server.name === name),
  load,
  unit,
  much,
});

const asking = (name, daemon, unit, much) => ({
  name,
  title: `\`${name}\``,
  daemon,
  load: name,
  unit,
  much,
});

const requested = (name, title) => served(name, title, 'wrk', 'requests', 'wrk -c64');

export const workloads = [
  requested('express', 'Express'),
  requested('fastify', 'Fastify'),
  requested('koa', 'Koa'),
  requested('hapi', 'hapi'),
  requested('hono', 'Hono'),
  served('ws', '`ws`', 'ws', 'messages echoed', 'on 64 connections'),
  served('socket.io', 'Socket.IO', 'socket-io', 'acknowledged messages', 'on 64 WebSockets'),
  requested('http-proxy', '`http-proxy`'),
  served('@grpc/grpc-js', '`@grpc/grpc-js`', 'grpc', 'unary calls', '64 at once on 8 connections'),
  served('aedes', '`aedes`', 'mqtt', 'messages, at most once', '64 clients'),
  asking('pg', postgresql, 'queries', 'on 16 connections'),
  asking('ioredis', redis, 'commands', '50 in a pipeline, on 4 connections'),
  asking('mysql2', mariadb, 'queries', 'on 16 connections'),
  asking('undici', nginx, 'requests', 'on 64 connections'),
  served('coap', '`coap`', 'coap', 'requests', '64 clients'),
  served('dns-packet', 'a name server', 'dns', 'queries', '64 clients'),
  asking('hot-shots', statsd, 'metrics', '64 at once, a datagram for each'),
];

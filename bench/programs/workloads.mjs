// What each program is loaded with.
//
//   title    how its row of the README's table begins
//   server   one of test/programs/servers.mjs; the load is on Node's own net
//   daemon   a server that is no Node; the load is the program
//   load     'wrk', or one of test/programs/loads
import { mariadb } from '../../test/programs/daemons/mariadb.mjs';
import { nginx } from '../../test/programs/daemons/nginx.mjs';
import { postgresql } from '../../test/programs/daemons/postgresql.mjs';
import { redis } from '../../test/programs/daemons/redis.mjs';
import { servers } from '../../test/programs/servers.mjs';

const served = (name, title, load, unit) => ({
  name,
  title,
  server: servers.find((server) => server.name === name),
  load,
  unit,
});

const asking = (name, daemon, unit) => ({ name, title: `\`${name}\``, daemon, load: name, unit });

const requests = 'requests, wrk -c64';

export const workloads = [
  served('express', 'Express', 'wrk', requests),
  served('fastify', 'Fastify', 'wrk', requests),
  served('koa', 'Koa', 'wrk', requests),
  served('hapi', 'hapi', 'wrk', requests),
  served('hono', 'Hono', 'wrk', requests),
  served('ws', '`ws`', 'ws', 'messages echoed on 64 connections'),
  served('socket.io', 'Socket.IO', 'socket-io', 'acknowledged messages on 64 WebSockets'),
  served('http-proxy', '`http-proxy`', 'wrk', requests),
  served('@grpc/grpc-js', '`@grpc/grpc-js`', 'grpc', 'unary calls, 64 at once on 8 connections'),
  served('aedes', '`aedes`', 'mqtt', 'messages, at most once, 64 clients'),
  asking('pg', postgresql, 'queries on 16 connections'),
  asking('ioredis', redis, 'commands, 50 in a pipeline, on 4 connections'),
  asking('mysql2', mariadb, 'queries on 16 connections'),
  asking('undici', nginx, 'requests on 64 connections'),
];

// The client programs, and the servers that they talk with. Where none is named, they make what
// they talk with. `least`: operations, and counters, that they must have on the core.
import { mariadb } from './daemons/mariadb.mjs';
import { memcached } from './daemons/memcached.mjs';
import { nginx } from './daemons/nginx.mjs';
import { postgresql } from './daemons/postgresql.mjs';
import { rabbitmq } from './daemons/rabbitmq.mjs';
import { redis } from './daemons/redis.mjs';

export const clients = [
  { daemon: 'PostgreSQL', spec: postgresql, names: ['pg', 'postgres'] },
  { daemon: 'Redis', spec: redis, names: ['ioredis', 'redis'] },
  { daemon: 'MariaDB', spec: mariadb, names: ['mysql2'] },
  { daemon: 'nginx', spec: nginx, names: ['undici', 'axios', 'got', 'http-agent'] },
  { daemon: 'RabbitMQ', spec: rabbitmq, names: ['amqplib'] },
  { daemon: 'memcached', spec: memcached, names: ['memjs'] },
  // nock asks for Node 22.
  { names: ['nock', 'msw', 'interceptors', 'mitm', 'opentelemetry'], major: 24 },
  { names: ['hot-shots'], least: { datagramsReceived: 1000, datagramsSent: 1000 } },
  { names: ['bonjour-service'], least: { datagramsReceived: 20, datagramsSent: 20 } },
];

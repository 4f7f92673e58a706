import { join } from 'node:path';

/** Takes metrics, and forgets them. */
export const statsd = {
  server: process.execPath,
  command: ({ port }) => [
    process.execPath,
    join(import.meta.dirname, 'statsd-server.mjs'),
    String(port),
  ],
};

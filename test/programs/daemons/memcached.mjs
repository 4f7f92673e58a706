import { userInfo } from 'node:os';
import { find } from './daemon.mjs';

const server = find('memcached');

export const memcached = {
  server,
  command: ({ port }) => [
    ...[server, '-l', '127.0.0.1', '-p', port, '-U', '0', '-t', '1'],
    ...['-u', userInfo().username],
  ],
};

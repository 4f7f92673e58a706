import { promisify } from 'node:util';
import StatsD from 'hot-shots';

/** Metrics, a datagram for each, 64 at a time by one client. */
export const lanes = 64;

let increment;

export async function open({ port }, lane) {
  if (increment === undefined) {
    const client = new StatsD({ host: '127.0.0.1', port });
    increment = promisify(client.increment).bind(client);
  }
  return () => increment(`metric.${lane}`);
}

// A server for `top` to look at: examples/http-server.mjs in a user's project, with its endpoint open
// and clients that keep asking.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { root } from '../folders.mjs';

/** Requests a second of all clients together: far below what one core can do. */
const RATE = 4000;
const CONNECTIONS = 20;
const LONGEST_S = 60;

/** @returns {Promise<{ pid: number, stop: () => Promise<void> }>} when requests are under way */
export async function startServerUnderLoad(folder) {
  const program = join(folder, 'http-server.mjs');
  copyFileSync(join(root, 'examples/http-server.mjs'), program);
  const server = spawn(process.execPath, [program], {
    cwd: folder,
    env: { ...process.env, PORT: '0', IOCP_NET_ENDPOINT: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(server.stdout), 'line');
  const [url] = /^http:\S+/.exec(line);
  const load = autocannon({
    url,
    connections: CONNECTIONS,
    overallRate: RATE,
    duration: LONGEST_S,
  });
  const ended = once(load, 'done');
  const stop = async () => {
    load.stop();
    await ended;
    server.kill();
    await once(server, 'exit');
  };
  return { pid: server.pid, stop };
}

// Starts each server program, sends it its traffic and asks it whether its sockets were on the core.
import assert from 'node:assert/strict';
import { didAtLeast } from './on-core.mjs';
import { startProgram } from './program.mjs';
import { Report } from './report.mjs';
import { copyExamples, servers } from './servers.mjs';

/**
 * What libuv has no part in: no stream, server or pending connect of its own. A datagram socket of
 * ours stands on a handle of Node's, which is never bound; of these `least` tells.
 */
const ofLibuv = /^(TCP|Pipe)(Socket|Server|Connect)/;

/** `least`: so often at least; `leaves`: native TLS or HTTP/2 has its connections after the accept. */
function isOnCore({ backend, stats, resources }, { least = { accept: 1 }, leaves }, windows) {
  assert.match(backend, windows ? /^iocp$/ : /^(?:epoll|io_uring)$/);
  didAtLeast(stats, least);
  if (leaves && !windows) return;
  assert.deepEqual(
    resources.filter((each) => ofLibuv.test(each)),
    [],
  );
  assert.ok(stats.bytesReceived + stats.datagramsReceived > 0);
  assert.ok(stats.bytesSent + stats.datagramsSent > 0);
}

async function runServer(server, { node, windows, control, platform, full }) {
  const { name, file, traffic, env, switched } = server;
  const preload = switched || control ? [] : undefined;
  const checkMs = full ? 600_000 : windows ? 120_000 : 60_000;
  const report = new Report(`${name}, ${platform}`, checkMs);
  let program;
  await report.check('starts', async () => {
    program = await startProgram({ file, env: await env?.(), node, windows, preload });
  });
  if (program) {
    const { check, skip } = report;
    const state = () => program.state();
    await traffic({ ...server, port: program.port, check, skip, full, state, windows });
    if (!control) {
      await report.check('is on the core', async () =>
        isOnCore(await program.state(), server, windows),
      );
    }
    await report.check('ends', () => program.stop());
  }
  report.print();
}

/** @param {object} how  which Node or Windows session, `control`, `isWanted` by name, `isNamed`: whether by name */
export async function runServers(how) {
  copyExamples();
  for (const server of servers.filter(({ name }) => how.isWanted(name))) {
    if (!how.windows || how.isNamed || server.onWindows) await runServer(server, how);
  }
}

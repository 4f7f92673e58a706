// Counts what a Windows server asks of the system for each echoed message, on Linux: node:net and
// iocp-net in node.exe under Wine, whose relay trace shows each call of Winsock and of the completion
// queue. Counts alone: of times under Wine nothing follows for Windows.
//
//   node bench/windows-calls.mjs [--connections 64] [--size 64] [--node 24]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { freePort } from '../scripts/free-port.mjs';
import { root } from '../scripts/gyp.mjs';
import { openLoadedWindows } from '../scripts/windows-session.mjs';
import { buildLoad } from './tools.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '64' },
    size: { type: 'string', default: '64' },
    node: { type: 'string', default: '24' },
  },
});

/** What enters the system; the other functions of Winsock work on memory of the process. */
const calls = [
  'ws2_32.WSARecv',
  'ws2_32.WSASend',
  'kernel32.GetQueuedCompletionStatus',
  'kernel32.GetQueuedCompletionStatusEx',
  'kernel32.PostQueuedCompletionStatus',
  'kernel32.SetEvent',
];
const serverSeconds = 20;
const loadSeconds = 6;

async function untilItListens(port) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      socket.destroy();
    }
  }
  throw new Error('the server in node.exe does not listen');
}

/** Echoes in lockstep on each connection; how many messages there were. */
async function drive(load, port) {
  const given = { port, pid: process.pid, ...values, warm: 0.5, seconds: loadSeconds };
  delete given.node;
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(load, ['echo', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return JSON.parse(printed).allOperations;
}

/** Calls per message, by function. */
async function count(windows, load, module) {
  const port = await freePort();
  const args = [join(root, 'bench/windows-echo.cjs'), module, String(port), String(serverSeconds)];
  const env = { WINEDEBUG: '+relay' };
  const server = windows.run({ node: values.node, args, env, timeout: 3 * serverSeconds });
  await untilItListens(port);
  const messages = await drive(load, port);
  const { stderr } = await server;
  const counts = {};
  for (const [, name] of stderr.matchAll(/:Call (\w+\.\w+)\(/g)) {
    const call = calls.find((each) => each.toLowerCase() === name.toLowerCase());
    if (call !== undefined) counts[call] = (counts[call] ?? 0) + 1 / messages;
  }
  return { messages, counts };
}

build({});
const load = buildLoad();
const windows = await openLoadedWindows();
const key = 'HKCU\\Software\\Wine\\Debug';
const reg = '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/reg.exe';
await windows.run({
  exe: reg,
  args: ['add', key, '/v', 'RelayInclude', '/t', 'REG_SZ', '/d', calls.join(';'), '/f'],
});
try {
  const arms = { 'node:net': 'node:net', 'iocp-net': join(root, 'dist/entry/net.cjs') };
  const totals = {};
  for (const [name, module] of Object.entries(arms)) {
    const { messages, counts } = await count(windows, load, module);
    totals[name] = Object.values(counts).reduce((sum, each) => sum + each, 0);
    console.log(`${name}: ${totals[name].toFixed(2)} calls per message, of ${messages} messages`);
    for (const [call, each] of Object.entries(counts)) console.log(`  ${call} ${each.toFixed(3)}`);
  }
  console.log(`ratio: ${(totals['iocp-net'] / totals['node:net']).toFixed(2)}`);
} finally {
  await windows.run({ exe: reg, args: ['delete', key, '/f'] });
  await windows.close();
}

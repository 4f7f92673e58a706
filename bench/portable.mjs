// Loads and readings without anything of one system: the load is JavaScript (or autocannon), and the
// server itself says what it has used. Which scenarios that can play, and how.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { messageOf } from '../dist/cli/bench/children.js';
import { output, start } from './children.mjs';
import { httpCommand, parse } from './http.mjs';
import { onCore } from './tools.mjs';

/** Whether this load is one of those: echoes in a closed loop, and HTTP by autocannon. */
export const isPortable = ({ mode, tool, secure, share }) =>
  (mode === 'echo' && share === undefined) || (tool === 'autocannon' && !secure);

const program = join(import.meta.dirname, 'load/portable.mjs');

/** Seconds that the processors of this machine have been busy, all of them together. */
function busySeconds() {
  const times = cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq);
  return times.reduce((sum, each) => sum + each, 0) / 1e3;
}

async function reading(server) {
  return { ...(await server.usage()), busy: busySeconds() };
}

/** What the server used between two readings, and what others did meanwhile. */
function costs(before, after, { seconds, loadCores }) {
  const cpu = after.cpu - before.cpu;
  const others = after.busy - before.busy - cpu;
  return {
    cpu,
    cpuMain: after.cpuMain === undefined ? undefined : after.cpuMain - before.cpuMain,
    peakBytes: after.peakBytes,
    foreignCores: Math.max(0, others / seconds - loadCores),
  };
}

/** As the program in C++ does it. Times in seconds. */
export async function runEcho(server, load, { loadCore }, { warm, seconds }) {
  const options = { ...load, port: server.port, warm, seconds };
  const command = onCore(loadCore, [execPath, program, JSON.stringify(options)]);
  const child = start(command, ['ignore', 2, 2, 'ipc']);
  try {
    const limit = (warm + seconds + 30) * 1000;
    await messageOf(child, 'the load', limit);
    const before = await reading(server);
    const result = await messageOf(child, 'the load', limit);
    const after = await reading(server);
    const rate = result.operations / result.seconds;
    return { ...result, ...costs(before, after, result), rate };
  } finally {
    child.kill('SIGKILL');
  }
}

export async function runHttp(server, load, { loadCore }, { seconds }) {
  const whole = Math.max(1, Math.ceil(seconds));
  const before = await reading(server);
  const text = await output(onCore(loadCore, httpCommand(load, server.port, whole)), whole + 15);
  const after = await reading(server);
  const counted = parse(text, load);
  // autocannon does not say what it has used itself; it has one thread, and is mostly busy.
  const result = { ...counted, seconds: whole, loadCores: 1, allOperations: counted.operations };
  return { ...result, ...costs(before, after, result) };
}

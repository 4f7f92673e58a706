// A server process, loads on it, and what they cost.
import { startServer } from './arms.mjs';
import { callCounter } from './calls.mjs';
import { output } from './children.mjs';
import { httpCommand, parse } from './http.mjs';
import * as portable from './portable.mjs';
import { onCore } from './tools.mjs';

/** The client gives up then. node:net takes four seconds on a quiet machine. */
const STORM_SECONDS = 40;
/** Bulk loads count bytes; their CPU time is per GB. */
const BULK_UNIT = 1e9;
/** A program without a compiler of its own is as fast as it gets at once. */
const COMPILED_WARM_SECONDS = 0.5;
/** Until the connections of a window are there and the caches are full of them. */
const LEAD_SECONDS = 0.25;

/** A load that is not ours runs below ours, which reads the server's CPU time around it. */
async function runHttp(server, load, settings, { seconds }) {
  const whole = Math.max(1, Math.ceil(seconds));
  const limit = whole + 5;
  const text = await output(
    onCore(settings.loadCore, [
      ...[settings.loadProgram, 'run', '--pid', String(server.pid), '--seconds', String(limit)],
      ...['--', ...httpCommand(load, server.port, whole)],
    ]),
    limit + 5,
  );
  const lines = text.trim().split('\n');
  const readings = JSON.parse(lines.pop());
  const counted = parse(lines.join('\n'), load);
  return { ...readings, ...counted, allOperations: counted.operations };
}

async function runOurs(server, load, settings, { warm, seconds, counter }) {
  const options = {
    port: server.port,
    pid: server.pid,
    connections: load.connections,
    size: load.size,
    new: load.newcomers,
    quiet: load.quiet,
    slow: load.slow,
    depth: load.depth,
    rate: load.rate,
    warm,
    seconds: load.mode === 'storm' ? STORM_SECONDS : seconds,
  };
  const words = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = onCore(settings.loadCore, [settings.loadProgram, load.mode, ...words]);
  const text = await output(counter ? counter.around(command, server.pid) : command, 90);
  const result = JSON.parse(text);
  return { ...result, rate: result.operations / result.seconds };
}

/** Without a load generator in C++ the portable one. */
function runLoad(server, load, settings, times) {
  const isHttp = load.mode === 'http';
  if (settings.loadProgram) return (isHttp ? runHttp : runOurs)(server, load, settings, times);
  return (isHttp ? portable.runHttp : portable.runEcho)(server, load, settings, times);
}

export const openServer = (scenario, arm, settings) =>
  startServer(scenario.server, arm, {
    node: settings.node,
    core: settings.serverCore,
    nodeOptions: settings.nodeOptions,
  });

/** The very load that is measured later, until the server's JavaScript is compiled. */
export async function warmUp(server, load, arm, { warm, ...settings }) {
  const time = arm.compiled ? Math.min(warm, COMPILED_WARM_SECONDS) : warm;
  // The busy ones of a storm come before it: that is their `warm`.
  const times = load.mode === 'storm' ? { warm: time } : { warm: 0, seconds: time };
  await runLoad(server, load, settings, times);
}

/** What our own counters say, per unit. They cover what precedes the window too. */
function counted(before, after, units) {
  if (!before || !after) return {};
  const per = (name) => (after[name] - before[name]) / units;
  return {
    osCalls: per('osCalls'),
    wakeups: per('consumerWakeups'),
    directSends: per('directSends'),
  };
}

/**
 * One window. Rates are per second, CPU times and latencies in microseconds, but CPU time of bulk in
 * seconds per GB.
 */
export async function playWindow(server, { group }, load, settings) {
  const counter = group === 'calls' ? callCounter() : undefined;
  try {
    const before = await server.stats();
    const times = { warm: LEAD_SECONDS, seconds: settings.seconds, counter };
    const run = await runLoad(server, load, settings, times);
    const after = await server.stats();

    const unit = group === 'bulk' ? BULK_UNIT : 1;
    const scale = group === 'bulk' ? 1 : 1e6;
    const per = (seconds) => (seconds * scale * unit) / run.operations;
    return {
      ...run,
      cpu: per(run.cpu),
      cpuMain: per(run.cpuMain),
      cpuPorts: per(run.cpuPorts),
      cpuBothEnds: per(run.cpu + run.loadCores * run.seconds),
      idleCores: run.cpu / run.seconds,
      serverCores: run.cpu / run.seconds,
      // In a storm most of what is counted is about the busy clients.
      ...(group === 'storm' ? {} : counted(before, after, run.allOperations / unit)),
      ...(counter ? { allCalls: counter.calls() / run.allOperations } : {}),
    };
  } finally {
    counter?.close();
  }
}

/** One window of one arm in a process of its own, warmed up where `warm` says so. */
export async function measure(scenario, arm, settings) {
  const server = await openServer(scenario, arm, settings);
  try {
    if (settings.warm > 0) await warmUp(server, scenario.load, arm, settings);
    return await playWindow(server, scenario, scenario.load, settings);
  } finally {
    await server.stop();
  }
}

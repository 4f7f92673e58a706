// One run: a fresh server process, a load, and what it cost.
import { connect } from 'node:net';
import { join } from 'node:path';
import { startServer } from './arms.mjs';
import { callCounter } from './calls.mjs';
import { output } from './children.mjs';
import { autocannon, onCore, wrk } from './tools.mjs';

/** The client gives up then. node:net takes four seconds on a quiet machine. */
const STORM_SECONDS = 40;
/** Bulk loads count bytes; their CPU time is per GB. */
const BULK_UNIT = 1e9;

/** Requests until the server's JavaScript is compiled: wrk has no warm-up of its own. */
async function warmUp(port, seconds) {
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const sockets = Array.from({ length: 16 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => {}).on('data', () => socket.write(request));
    socket.write(request);
  }
  await new Promise((done) => setTimeout(done, seconds * 1000));
  for (const socket of sockets) socket.destroy();
}

function parseWrk(text, { pipelining }) {
  const bad = /Socket errors:.*|Non-2xx.*/.exec(text);
  if (bad) throw new Error(`wrk: ${bad[0]}`);
  const micros = { us: 1, ms: 1e3, s: 1e6 };
  const quantile = (percent) => {
    const [, value, unit] = new RegExp(` ${percent}% +([\\d.]+)(us|ms|s)`).exec(text);
    return Number(value) * micros[unit];
  };
  return {
    operations: Number(/(\d+) requests in/.exec(text)[1]),
    rate: Number(/Requests\/sec: +([\d.]+)/.exec(text)[1]),
    // Several answers to one request (pipeline.lua) confuse its times: some come out as 0.
    ...(pipelining > 1 ? {} : { p50: quantile(50), p99: quantile(99) }),
  };
}

function parseAutocannon(text) {
  const result = JSON.parse(text);
  const bad = result.errors + result.timeouts + result.non2xx + result.mismatches;
  if (bad > 0) throw new Error(`autocannon: ${bad} of ${result.requests.total} requests failed`);
  return {
    operations: result.requests.total,
    rate: result.requests.total / result.duration,
    p50: result.latency.p50 * 1e3,
    p99: result.latency.p99 * 1e3,
  };
}

function httpCommand({ tool, connections, pipelining }, port, seconds) {
  const url = `http://127.0.0.1:${port}/`;
  const whole = String(Math.ceil(seconds)); // neither knows fractions of a second
  if (tool === 'wrk') {
    const script = pipelining > 1 ? ['-s', join(import.meta.dirname, 'load/pipeline.lua')] : [];
    return [wrk, '-t', '1', '-c', String(connections), '-d', whole, '--latency', ...script, url];
  }
  const options = ['-c', String(connections), '-p', String(pipelining), '-d', whole];
  return [process.execPath, autocannon(), ...options, '--json', '--no-progress', url];
}

/** A load that is not ours runs below ours, which reads the server's CPU time around it. */
async function runHttp(server, load, settings) {
  const seconds = Math.ceil(settings.seconds) + 5;
  const text = await output(
    onCore(settings.loadCore, [
      ...[settings.loadProgram, 'run', '--pid', String(server.pid), '--seconds', String(seconds)],
      ...['--', ...httpCommand(load, server.port, settings.seconds)],
    ]),
    seconds + 5,
  );
  const lines = text.trim().split('\n');
  const readings = JSON.parse(lines.pop());
  const parse = load.tool === 'wrk' ? parseWrk : parseAutocannon;
  const counted = parse(lines.join('\n'), load);
  return { ...readings, ...counted, allOperations: counted.operations };
}

async function runOurs(server, load, settings, counter) {
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
    warm: settings.warm,
    seconds: load.mode === 'storm' ? STORM_SECONDS : settings.seconds,
  };
  const words = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = onCore(settings.loadCore, [settings.loadProgram, load.mode, ...words]);
  const text = await output(counter ? counter.around(command, server.pid) : command, 90);
  const result = JSON.parse(text);
  return { ...result, rate: result.operations / result.seconds };
}

/** What our own counters say, per unit. They cover the warm-up too. */
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
 * Runs one scenario on one arm. Rates are per second, CPU times and latencies in microseconds, but
 * CPU time of bulk in seconds per GB.
 */
export async function measure(scenario, arm, settings) {
  const { load, group } = scenario;
  const server = await startServer(scenario.server, arm, {
    node: settings.node,
    core: settings.serverCore,
    nodeOptions: settings.nodeOptions,
  });
  const counter = group === 'calls' ? callCounter() : undefined;
  try {
    if (group === 'http') await warmUp(server.port, settings.warm);
    const before = await server.stats();
    const run = await (group === 'http' ? runHttp : runOurs)(server, load, settings, counter);
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
    await server.stop();
  }
}

// The HTTP loads: wrk and autocannon, and what they print.
import { execPath } from 'node:process';
import { join } from 'node:path';
import { autocannon, wrk } from './tools.mjs';

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

export const parse = (text, load) =>
  load.tool === 'wrk' ? parseWrk(text, load) : parseAutocannon(text);

/** `seconds` is whole: neither knows fractions of one. */
export function httpCommand({ tool, connections, pipelining, secure }, port, seconds) {
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}/`;
  if (tool === 'wrk') {
    const script = pipelining > 1 ? ['-s', join(import.meta.dirname, 'load/pipeline.lua')] : [];
    const options = ['-t', '1', '-c', String(connections), '-d', String(seconds), '--latency'];
    return [wrk, ...options, ...script, url];
  }
  const options = ['-c', String(connections), '-p', String(pipelining), '-d', String(seconds)];
  return [execPath, autocannon(), ...options, '--json', '--no-progress', url];
}

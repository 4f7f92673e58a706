// The results as Markdown.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { CALM } from './statistics.mjs';

const known = (value) => Number.isFinite(value);

function number(value) {
  if (!known(value)) return '–';
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** A rate needs no more than three digits. */
function rough(value) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 2);
  return number(Math.round(value / unit) * unit);
}

function ratio({ ratio, noise, real }) {
  if (!known(ratio)) return '–';
  const text = `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;
  return `${real ? `**${text}**` : text} ±${(noise * 100).toFixed(0)} %`;
}

function throughput(row) {
  if (row.group === 'storm') {
    // Less is better, unlike any other rate, so the ratio is that of clients per second.
    return ['base', 'candidate'].map((arm) => `${number(row.seconds[arm])} s`);
  }
  const [scale, unit] = row.group === 'bulk' ? [1e-6, ' MB/s'] : [1, '/s'];
  return ['base', 'candidate'].map((arm) => `${rough(row.rate[arm] * scale)}${unit}`);
}

const latency = ({ p50, p99 }, arm) =>
  known(p50[arm]) ? `${rough(p50[arm])} / ${rough(p99[arm])}` : '–';

/** The load had no core time left: the server could have served more. */
const loadIsFull = (row, settings) =>
  settings.pinned && Math.max(row.loadCores.base, row.loadCores.candidate) > 0.95;

function line(row, settings) {
  const [base, candidate] = throughput(row);
  const cpu = (figure) => `${number(figure.base)} → ${number(figure.candidate)}`;
  const marks = `${row.calm ? '' : ' ~'}${loadIsFull(row, settings) ? ' †' : ''}`;
  return [
    `${row.name}${marks}`,
    `${base} → ${candidate}`,
    ratio(row.rate),
    cpu(row.cpu),
    ratio(row.cpu),
    cpu(row.cpuMain),
    ratio(row.cpuMain),
    latency(row, 'base'),
    latency(row, 'candidate'),
    number(row.osCalls),
  ];
}

const markdownLine = (cells) => `| ${cells.join(' | ')} |`;

export function table(rows, arms, settings) {
  const { base, candidate } = arms;
  const head = [
    'load',
    `${base.name} → ${candidate.name}`,
    'throughput',
    'CPU µs, all threads',
    'ratio',
    'CPU µs, JS thread',
    'ratio',
    `p50 / p99 µs, ${base.name}`,
    candidate.name,
    'OS calls',
  ];
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return [head, rule, ...rows.map((row) => line(row, settings))].map(markdownLine).join('\n');
}

export function machine({ node, backend, settings }) {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const cores = availableParallelism();
  const where = settings.pinned
    ? 'server on core 0 alone (all its threads), load on core 1'
    : `server and load share the ${cores} cores, not pinned`;
  return [
    `${cpu?.model.trim() ?? process.arch}, ${cores} cores, ${memory}, ${type()} ${release()}`,
    `Node ${node}`,
    ...(backend === undefined ? [] : [`backend ${backend}`]),
    `loopback`,
    where,
  ].join('; ');
}

export function notes(rows, skipped, settings) {
  const discarded = rows.reduce((sum, row) => sum + row.discarded, 0);
  const rounds = [...new Set(rows.map((row) => row.rounds))].sort((a, b) => a - b).join(' to ');
  return [
    'CPU time is per message, request or new client, and per 64 KiB of bulk. It counts user and ' +
      'kernel time of the server over exactly the measured window.',
    '**Bold**: beyond the noise, which is the largest difference (±) that node:net had from ' +
      'node:net, run as a third arm, in any round. Anything else is no difference.',
    `Medians of ${rounds} round${rounds === '1' ? '' : 's'}, each arm in a fresh process, order swapped each round.`,
    'Accept storm: time until all new clients have had a first reply (throughput: clients per ' +
      'second), and each one’s time to it.',
    'OS calls: system calls of the I/O threads, per message, request or 64 KiB.',
    ...(discarded > 0
      ? [`${discarded} rounds in which other programs used ${CALM} cores or more are left out.`]
      : []),
    ...(rows.some((row) => !row.calm)
      ? [`~ Other programs used ${CALM} cores or more in most rounds: do not rely on this line.`]
      : []),
    ...(rows.some((row) => loadIsFull(row, settings))
      ? ['† The load generator’s core was full: the faster server could do more.']
      : []),
    ...skipped,
  ];
}

export const asList = (sentences) => sentences.map((sentence) => `- ${sentence}`).join('\n');

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** Between the markers of this file; false when it has none. */
export function updateBetweenMarkers(file, text) {
  const old = readFileSync(file, 'utf8');
  const start = old.indexOf(START);
  const end = old.indexOf(END, start);
  if (start < 0 || end < 0) return false;
  const head = old.slice(0, start + START.length);
  writeFileSync(file, `${head}\n\n${text}\n\n${old.slice(end)}`);
  return true;
}

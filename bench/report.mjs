// The results as Markdown: a table for each kind of load, what the peers do, and the goals.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { CALM } from './statistics.mjs';

const known = (value) => Number.isFinite(value);

export function number(value) {
  if (!known(value)) return '–';
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** A rate needs no more than three digits. */
export function rough(value) {
  if (!known(value)) return '–';
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 2);
  return number(Math.round(value / unit) * unit);
}

const times = (ratio) => `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;

export function ratio({ ratio, noise, real }) {
  if (!known(ratio)) return '–';
  return `${real ? `**${times(ratio)}**` : times(ratio)} ±${(noise * 100).toFixed(0)} %`;
}

export const fromTo = ({ base, candidate }, show = number, unit = '') =>
  known(base) && known(candidate) ? `${show(base)} → ${show(candidate)}${unit}` : '–';

/** The load had no core time left: the server could have served more. */
const loadIsFull = (row) =>
  row.placement === 'apart' && Math.max(row.loadCores.base, row.loadCores.candidate) > 0.95;

export const title = (row) => `${row.name}${row.calm ? '' : ' ~'}${loadIsFull(row) ? ' †' : ''}`;

const FIGURE_NAMES = {
  rate: 'throughput',
  cpu: 'CPU, all threads',
  cpuMain: 'CPU, JS thread',
  seconds: 'time',
  p50: 'p50',
  p99: 'p99',
  peakBytes: 'peak memory',
  bytesPerConnection: 'memory per connection',
  allCalls: 'OS calls',
};

/** In what it is worse than node:net beyond the noise. */
export function worse({ verdict }) {
  if (verdict === undefined) return '–';
  const { state, figures } = verdict;
  const named = figures.map((each) => FIGURE_NAMES[each]).join(', ');
  if (state === 'too busy') return named ? `too busy to say (${named})` : 'too busy to say';
  return state === 'worse' ? `**${named}**` : 'no';
}

const WORSE = ['worse than `node:net`?', worse];

export const megabytes = (bytes) => rough(bytes / 1e6);

const latency = (arm) => (row) => {
  const { p50, p99 } = row;
  return known(p50[arm]) ? `${rough(p50[arm])} / ${rough(p99[arm])}` : '–';
};

/** The columns of each kind of table, few enough for a screen: heading, and the cell of a row. */
const columns = {
  messages: [
    ['throughput, /s', (row) => fromTo(row.rate, rough)],
    ['ratio', (row) => ratio(row.rate)],
    ['CPU µs, all threads', (row) => fromTo(row.cpu)],
    ['ratio', (row) => ratio(row.cpu)],
    ['CPU µs, JS thread', (row) => fromTo(row.cpuMain)],
    ['ratio', (row) => ratio(row.cpuMain)],
    WORSE,
  ],
  latencies: [
    ['p50 / p99 µs, before', latency('base')],
    ['after', latency('candidate')],
    ['OS calls', (row) => number(row.osCalls)],
  ],
  storm: [
    ['until all had a reply, s', (row) => fromTo(row.seconds)],
    ['ratio', (row) => ratio(row.seconds)],
    ['p50 / p99 µs, before', latency('base')],
    ['after', latency('candidate')],
    WORSE,
  ],
  bulk: [
    ['MB/s', (row) => fromTo(row.rate, megabytes)],
    ['ratio', (row) => ratio(row.rate)],
    ['CPU s/GB, all threads', (row) => fromTo(row.cpu)],
    ['ratio', (row) => ratio(row.cpu)],
    ['JS thread', (row) => fromTo(row.cpuMain)],
    ['ratio', (row) => ratio(row.cpuMain)],
    WORSE,
  ],
  bulkBothEnds: [
    ['server and load, CPU s/GB', (row) => fromTo(row.cpuBothEnds)],
    ['ratio', (row) => ratio(row.cpuBothEnds)],
    ['peak memory, MB', (row) => fromTo(row.peakBytes, megabytes)],
    ['ratio', (row) => ratio(row.peakBytes)],
  ],
  idle: [
    ['memory per connection, bytes', (row) => fromTo(row.bytesPerConnection)],
    ['ratio', (row) => ratio(row.bytesPerConnection)],
    ['peak memory, MB', (row) => fromTo(row.peakBytes, megabytes)],
    ['CPU while idle, cores', (row) => fromTo(row.idleCores)],
    WORSE,
  ],
  company: [
    ['throughput of the busy ones, /s', (row) => fromTo(row.rate, rough)],
    ['ratio', (row) => ratio(row.rate)],
    ['p50 / p99 µs, alone', latency('base')],
    ['in company', latency('candidate')],
  ],
  calls: [
    ['OS calls per message', (row) => fromTo(row.allCalls)],
    ['ratio', (row) => ratio(row.allCalls)],
  ],
};

const kinds = [
  ['messages', ['echo', 'paced', 'churn', 'http']],
  ['latencies', ['echo', 'paced', 'churn', 'http']],
  ['storm', ['storm']],
  ['bulk', ['bulk']],
  ['bulkBothEnds', ['bulk']],
  ['idle', ['idle']],
  ['company', ['company']],
  ['calls', ['calls']],
];

const markdown = (lines) => lines.map((cells) => `| ${cells.join(' | ')} |`);

export function table(head, lines) {
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return markdown([head, rule, ...lines]).join('\n');
}

function pairTables(rows, { base, candidate }) {
  return kinds
    .map(([kind, groups]) => {
      const chosen = rows.filter(({ group }) => groups.includes(group));
      if (chosen.length === 0) return undefined;
      const pair = kind === 'company' ? candidate.name : `${base.name} → ${candidate.name}`;
      const head = [pair, ...columns[kind].map(([heading]) => heading)];
      return table(
        head,
        chosen.map((row) => [title(row), ...columns[kind].map(([, cell]) => cell(row))]),
      );
    })
    .filter(Boolean);
}

/** What a peer's arm cost: CPU per unit, and of these on the main thread. */
function peerCost(group, arm) {
  if (group === 'calls') return number(arm.allCalls);
  if (group === 'storm') return `${number(arm.seconds)} s`;
  if (group === 'bulk') return `${number(arm.cpu)} s/GB (${number(arm.cpuBothEnds)})`;
  return `${number(arm.cpu)} (${number(arm.cpuMain)})`;
}

const peerRate = (group, arm) => (group === 'bulk' ? megabytes(arm.rate) : rough(arm.rate));

const WITHOUT_RATE = ['calls', 'storm'];

/** Every arm of the rows that have peers: costs, then rates. */
function peerTables(rows, peers) {
  const chosen = rows.filter((row) => peers.some(({ name }) => row.arms[name]));
  if (chosen.length === 0) return [];
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.arms)))];
  const used = names.filter((name) => chosen.some((row) => row.arms[name]));
  const tableOf = (lines, cell) =>
    table(
      ['load', ...used],
      lines.map((row) => [
        title(row),
        ...used.map((name) => (row.arms[name] ? cell(row.group, row.arms[name]) : '–')),
      ]),
    );
  const withRate = chosen.filter(({ group }) => !WITHOUT_RATE.includes(group));
  return [
    'The peers, CPU µs per message or request (of these on the main thread); of bulk the CPU time ' +
      'per GB (with the load’s), of the accept storm the time until all had a reply:',
    tableOf(chosen, peerCost),
    ...(withRate.length > 0
      ? ['The peers, throughput, a second; of bulk in MB/s:', tableOf(withRate, peerRate)]
      : []),
  ];
}

/** The goals, and what came of them. */
function goalTable(rows) {
  const lines = rows.flatMap((row) =>
    row.goals.map(({ figure, atMost, atLeast, ratio, noise, verdict }) => [
      title(row),
      FIGURE_NAMES[figure],
      atMost === undefined ? `≥ ${times(atLeast)}` : `≤ ${times(atMost)}`,
      known(ratio) ? `${times(ratio)} ±${(noise * 100).toFixed(0)} %` : '–',
      verdict,
    ]),
  );
  if (lines.length === 0) return [];
  return ['Goals:', table(['load', 'figure', 'goal', 'measured', ''], lines)];
}

/** All tables, for the terminal; docs/benchmarks.md takes those of the pair. */
export function tables(rows, arms, { all }) {
  const pair = pairTables(rows, arms);
  return [...pair, ...peerTables(rows, arms.peers), ...(all ? goalTable(rows) : [])].join('\n\n');
}

export function machine({ node, backend, peers }) {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return [
    new Date().toISOString().slice(0, 10),
    `${cpu?.model.trim() ?? process.arch}, ${availableParallelism()} cores, ${memory}`,
    `${type()} ${release()}`,
    `Node ${node}`,
    ...(backend === undefined ? [] : [`backend ${backend}`]),
    ...peers.filter(({ version }) => version).map(({ name, version }) => `${name} ${version}`),
    'loopback',
  ].join('; ');
}

export function remarks(rows) {
  const sentences = [];
  if (rows.some(({ placement }) => placement === 'apart')) {
    sentences.push(
      'Server on core 0 alone (all its threads) and load on core 1, except where it says “not ' +
        'pinned”, where both share all cores, or “one core”, where both share core 0.',
    );
  } else if (rows.some(({ placement }) => placement === 'together')) {
    sentences.push('Server and load share core 0.');
  } else {
    sentences.push('Server and load share all cores, not pinned.');
  }
  const discarded = rows.reduce((sum, row) => sum + row.discarded, 0);
  if (discarded > 0) {
    sentences.push(
      `${discarded} rounds in which other programs used ${CALM} cores or more are left out.`,
    );
  }
  if (rows.some((row) => !row.calm)) {
    sentences.push(
      `~ Other programs used ${CALM} cores or more in most rounds: do not rely on this line.`,
    );
  }
  if (rows.some(loadIsFull)) {
    sentences.push('† The load generator’s core was full: the faster server could do more.');
  }
  for (const { name, rate } of rows.filter(({ share }) => share)) {
    sentences.push(
      `“${name}”: ${rough(rate.base)} messages a second. Each was due at a fixed moment, and its ` +
        'latency counts from then, whatever the server did.',
    );
  }
  return sentences;
}

export function notes(rows, skipped) {
  const rounds = [...new Set(rows.map((row) => row.rounds))].sort((a, b) => a - b).join(' to ');
  return [
    'CPU time is per message, request, connection or new client. It counts user and kernel time ' +
      'of the server over exactly the measured window.',
    '**Bold**: beyond the noise, which is the largest difference (±) that the left arm had from ' +
      'itself, run once more as a control, in any round. Anything else is no difference.',
    `Medians of ${rounds} round${rounds === '1' ? '' : 's'}; each arm has a process of its own, ` +
      'warmed up for five seconds at the very load, and its windows in turns with the others’, in ' +
      'swapped order each round. No load is random: there is no seed.',
    '“Worse”: in its median, by more than 5 % and by more than the medians of the two ' +
      '`node:net` arms differ, and in three rounds of four than both of them.',
    'OS calls: system calls of our ports, per message, request or connection.',
    ...remarks(rows),
    ...skipped,
  ];
}

export const asList = (sentences) => sentences.map((sentence) => `- ${sentence}`).join('\n');

/** Between the markers `name:start` and `name:end` of this file; false when it has none. */
export function updateBetweenMarkers(file, name, text) {
  const [START, END] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const old = readFileSync(file, 'utf8');
  const start = old.indexOf(START);
  const end = old.indexOf(END, start);
  if (start < 0 || end < 0) return false;
  const head = old.slice(0, start + START.length);
  writeFileSync(file, `${head}\n\n${text}\n\n${old.slice(end)}`);
  return true;
}

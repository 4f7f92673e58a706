// The tables of npm run bench:threads.
import { megabytes, number, ratio, remarks, table, title } from './report.mjs';
import { count } from './scenarios.mjs';

const ARMS = ['threads', 'node:net', 'iocp-net'];

/**
 * What the documents say that asked for this package, in MB/s: of a thread for each connection, and
 * of a completion port. They name neither the machine nor the size of a message.
 */
const DOCUMENTS = [
  ['1,000 connections', '82', '210'],
  ['5,000 connections', 'out of memory', '1,200'],
];

const rateOf = ({ rate }, bytes) => number((rate * bytes) / 1e6);

export function rateTable(rows) {
  const documents = DOCUMENTS.map(([load, threads, port]) => [
    `the documents’: ${load}`,
    ...[threads, '–', port, '–'],
  ]);
  const measured = rows.map((row) => [
    title(row),
    ...ARMS.map((arm) => rateOf(row.arms[arm], row.size)),
    ratio(row.rate),
  ]);
  return table(['echoed, MB/s', ...ARMS, 'iocp-net to threads'], [...documents, ...measured]);
}

/** Where others want the cores too, many threads are given more of them than one. */
const CORES = 'cores in use, threads / iocp-net';

export function costTable(rows) {
  const head = ['CPU µs per message', ...ARMS, 'iocp-net to threads'];
  const lines = rows.map((row) => [
    title(row),
    ...ARMS.map((arm) => number(row.arms[arm].cpu)),
    ratio(row.cpu),
    `${number(row.serverCores.base)} / ${number(row.serverCores.candidate)}`,
  ]);
  return table([...head, CORES], lines);
}

export function memoryTable(rows) {
  const lines = rows.map((row) => [
    title(row),
    ...ARMS.map((arm) => megabytes(row.arms[arm].peakBytes)),
  ]);
  return table(['most memory, MB', ...ARMS], lines);
}

export function limitTable({ connections, limit, limited, bytes }) {
  const cell = ({ rate, outOfThreads }) =>
    outOfThreads === undefined
      ? `${rateOf({ rate }, bytes)} MB/s`
      : `out after ${number(outOfThreads)} threads`;
  return table(
    [`${limit} GiB of address space`, ...connections.map(count)],
    limited.map(({ name, runs }) => [name, ...runs.map(cell)]),
  );
}

export const notes = (rows) => [
  'MB/s count each message once. CPU is user and kernel time of the server, all threads.',
  `Medians of ${Math.max(...rows.map((row) => row.rounds))} rounds at most, taking turns. The ` +
    'threads run twice in each round; ± is the most that the two were apart, **bold** is beyond it.',
  'The table of the address space has one window a cell, in a process of its own, not pinned.',
  ...remarks(rows),
];

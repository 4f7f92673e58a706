// Draws docs/bench/thread-per-connection.svg from the tables in docs/benchmarks.md between the markers
// "threads", which npm run bench:threads writes.
//
//   node bench/threads-picture.mjs
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { page, tablesBetweenMarkers } from './page-tables.mjs';
import { bars } from './svg.mjs';

export const picture = join(import.meta.dirname, '../docs/bench/thread-per-connection.svg');

/** The order of the colours; ours is first in every picture. */
const PARTS = ['iocp-net', 'node:net', 'threads', 'the documents’'];

function figure(cell) {
  const value = Number(/^[\d,.]+/.exec(cell)?.[0].replaceAll(',', ''));
  return Number.isFinite(value) ? value : 0;
}

/** A bar of no length says what became of it. */
const bar = (part, where, who, cell) => ({
  name: `${where}: ${figure(cell) > 0 ? who : cell}`,
  values: PARTS.map((each) => (each === part ? figure(cell) : 0)),
});

/** Those with the largest message: what MB/s are about. */
function measured(rows) {
  const found = rows.flatMap(([name, threads, node, ours]) => {
    const [, connections, size] = /^([\d,]+) connections?, (\d+ \w+)/.exec(name) ?? [];
    return connections ? [{ connections, size, threads, node, ours }] : [];
  });
  return found.filter(({ size }) => size === found.at(-1).size);
}

/** What is left of each with the most connections, in little address space. */
function limited(rows, connections) {
  const at = (start) => rows.find(([name]) => name.startsWith(start))?.at(-1);
  const where = `${connections}, limited`;
  return [
    bar('threads', where, 'threads', at('threads, stacks of 1 MiB')),
    bar('iocp-net', where, 'iocp-net', at('iocp-net')),
  ];
}

function documented([name, threads, , port]) {
  const where = `${/[\d,]+(?= connections)/.exec(name)[0]}, theirs`;
  return [
    bar('the documents’', where, 'threads', threads),
    bar('the documents’', where, 'completion port', port),
  ];
}

/** The picture of the tables as they are now. */
export function draw() {
  const [rates, , , limits] = tablesBetweenMarkers('threads');
  const rows = measured(rates ?? []);
  if (limits === undefined || rows.length === 0) throw new Error(`${page}: no figures of threads`);
  const documents = rates.filter(([name]) => name.startsWith('the documents’'));
  const all = [
    ...rows.flatMap(({ connections, threads, node, ours }) => [
      bar('threads', connections, 'threads', threads),
      bar('node:net', connections, 'node:net', node),
      bar('iocp-net', connections, 'iocp-net', ours),
    ]),
    ...limited(limits, rows.at(-1).connections),
    ...documents.flatMap(documented),
  ];
  const words = all.map(({ name, values }) => {
    const value = Math.max(...values);
    return value > 0 ? `${name} ${value}` : name;
  });
  return bars({
    title: 'Echo by connections: a thread for each, and completion ports',
    description: `MB/s. ${words.join('. ')}.`,
    xLabel: `MB/s, messages of ${rows[0].size}; the documents’ on a machine of their own`,
    parts: PARTS,
    bars: all,
  });
}

if (argv[1] === import.meta.filename) {
  writeFileSync(picture, draw());
  console.log('docs/bench/thread-per-connection.svg');
}

// The tables of docs/benchmarks.md, for the pictures that are drawn of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const page = 'docs/benchmarks.md';

/** Those between the markers `name:start` and `name:end`: of each the rows below its head, as cells. */
export function tablesBetweenMarkers(name) {
  const text = readFileSync(join(import.meta.dirname, '..', page), 'utf8');
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`].map((marker) =>
    text.indexOf(marker),
  );
  if (start < 0 || end < start) throw new Error(`${page} has no ${name} markers`);
  const tables = text.slice(start, end).match(/(?:^\|.*\n)+/gm) ?? [];
  return tables.map((table) => table.trimEnd().split('\n').slice(2).map(cellsOf));
}

const cellsOf = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.replaceAll('*', '').trim());

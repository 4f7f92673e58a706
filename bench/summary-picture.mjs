// Draws docs/bench/summary.svg, which README.md shows, from the table in docs/benchmarks.md between
// the markers "summary": whoever changes that table draws it again.
//
//   npm run bench:summary
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { page, tablesBetweenMarkers } from './page-tables.mjs';
import { ratioBars } from './svg.mjs';

export const picture = join(import.meta.dirname, '../docs/bench/summary.svg');

/** The load, the ratio, and its noise. */
function rowOf([name, ...cells]) {
  const [ratio, noise] = cells.map(Number);
  if (!(ratio > 0) || !(noise >= 0)) throw new Error(`${page}: no figures of ${name}`);
  return { name, ratio, noise };
}

/** The picture of the table as it is now. */
export function draw() {
  const rows = tablesBetweenMarkers('summary').flat().map(rowOf);
  const words = rows.map(({ name, ratio, noise }) => `${name}: ${ratio} (noise ${noise})`);
  return ratioBars({
    title: 'CPU time per message or request, as a ratio to node:net',
    description: `Below 1 is better. ${words.join('. ')}.`,
    xLabel: 'server alone on a core; the whiskers are the noise of node:net against itself',
    base: 'node:net',
    bars: rows,
  });
}

if (argv[1] === import.meta.filename) {
  writeFileSync(picture, draw());
  console.log('docs/bench/summary.svg');
}

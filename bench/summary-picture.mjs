// Draws docs/bench/summary.svg, which README.md shows, from the table in docs/benchmarks.md between
// the markers "summary": whoever changes that table draws it again.
//
//   npm run bench:summary
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { ratioBars } from './svg.mjs';

const root = join(import.meta.dirname, '..');
const page = 'docs/benchmarks.md';
export const picture = join(root, 'docs/bench/summary.svg');

/** The cells of each row: the load, the ratio, and its noise. */
function rowsOf(text) {
  const [START, END] = ['<!-- summary:start -->', '<!-- summary:end -->'];
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${page} has no summary markers`);
  const lines = text
    .slice(start, end)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => {
    const [name, ratio, noise] = line
      .split('|')
      .slice(1, 4)
      .map((cell) => cell.replaceAll('*', '').trim());
    const row = { name, ratio: Number(ratio), noise: Number(noise) };
    if (!(row.ratio > 0) || !(row.noise >= 0)) throw new Error(`${page}: no figures in ${line}`);
    return row;
  });
}

/** The picture of the table as it is now. */
export function drawSummary() {
  const rows = rowsOf(readFileSync(join(root, page), 'utf8'));
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
  writeFileSync(picture, drawSummary());
  console.log('docs/bench/summary.svg');
}

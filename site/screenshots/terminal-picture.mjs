// Lines of a terminal as SVG: sharp at every size, small, text that can be compared, and with the
// colours of the reader's scheme.
import { escape } from '../../bench/svg.mjs';

/** Of a font of 14 px; each word is stretched to it, whatever font the reader has. */
const CELL = { width: 8.4, height: 19 };
const PADDING = 18;
const BAR = 34;

const STYLE = `
  text { font: 14px ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328 }
  .window { fill: #f6f8fa; stroke: #d0d7de }
  .bar { stroke: #d0d7de }
  .title { fill: #59636e }
  .button { fill: #d0d7de }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .window { fill: #151b23; stroke: #3d444d }
    .bar { stroke: #3d444d }
    .title { fill: #9198a1 }
    .button { fill: #3d444d }
  }`;

const px = (value) => String(+value.toFixed(1));

/** Words with single spaces between them, each at its column. */
const runs = (line) =>
  [...line.matchAll(/\S+(?: \S+)*/g)].map(({ 0: words, index }) => [words, index]);

function lineOf(line, row) {
  const y = px(BAR + PADDING + (row + 0.75) * CELL.height);
  return runs(line).map(([words, column]) => {
    const x = px(PADDING + column * CELL.width);
    const length = px(words.length * CELL.width);
    return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escape(words)}</text>`;
  });
}

/** `title` stands in the window's bar; the window is as wide as its lines. */
export function pictureOfTerminal(title, lines) {
  const columns = Math.max(...lines.map(({ length }) => length));
  const width = Math.ceil(columns * CELL.width + 2 * PADDING);
  const height = Math.ceil(BAR + lines.length * CELL.height + 2 * PADDING);
  const buttons = [0, 1, 2].map(
    (at) => `<circle class="button" cx="${20 + at * 20}" cy="${BAR / 2}" r="6"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<style>${STYLE}
</style>
<rect class="window" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
<line class="bar" x1="0" y1="${BAR}.5" x2="${width}" y2="${BAR}.5"/>
${buttons.join('\n')}
<text class="title" x="${width / 2}" y="${BAR / 2 + 5}" text-anchor="middle">${escape(title)}</text>
${lines.flatMap(lineOf).join('\n')}
</svg>
`;
}

// A small writer of charts as SVG: readable on light and on dark pages, with a title and a
// description for those who cannot see them, without scripts and without fonts from elsewhere.
export const escape = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);

const WIDTH = 720;
const MARGIN = { top: 64, right: 150, bottom: 56, left: 76 };

/** Colours that differ also for those who see fewer of them; the first is ours. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .axis { stroke: #8c959f; stroke-width: 1 }
  .grid { stroke: #8c959f; stroke-width: 1; opacity: .25 }
  .c0 { --c: #0969da } .c1 { --c: #bc4c00 } .c2 { --c: #6f42c1 } .c3 { --c: #57606a }
  .c4 { --c: #1a7f37 }
  .line { fill: none; stroke: var(--c); stroke-width: 2.5 }
  .fill { fill: var(--c) }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .c0 { --c: #58a6ff } .c1 { --c: #ffa657 } .c2 { --c: #bc8cff } .c3 { --c: #a0a8b2 }
    .c4 { --c: #56d364 }
  }`;

function document({ title, description, height }, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">
<title id="title">${escape(title)}</title>
<desc id="description">${escape(description)}</desc>
<style>${STYLE}
</style>
<text class="title" x="16" y="28">${escape(title)}</text>
${body.join('\n')}
</svg>
`;
}

const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${escape(words)}</text>`;
const line = (x1, y1, x2, y2, kind) =>
  `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

/** Round numbers from 0 to a little above the largest. */
function ticks(most) {
  const raw = most / 5;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * unit).find((each) => each >= raw);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

const short = (value) =>
  value >= 1e6
    ? `${value / 1e6}M`
    : value >= 1000
      ? `${value / 1000}k`
      : String(+value.toPrecision(3));

/**
 * Lines over categories that are evenly spaced (connections, quantiles).
 *
 * @param {{ title: string, description: string, x: string[], xLabel: string, yLabel: string,
 *   series: { name: string, values: (number | undefined)[] }[], log?: boolean }} chart
 */
export function lines(chart) {
  const height = 400;
  const bottom = height - MARGIN.bottom;
  const right = WIDTH - MARGIN.right;
  const all = chart.series.flatMap(({ values }) => values).filter((value) => value > 0);
  const marks = chart.log ? decades(all) : ticks(Math.max(...all));
  const scale = chart.log ? Math.log10 : (value) => value;
  const [low, high] = [scale(marks[0]), scale(marks.at(-1))];
  const y = (value) => bottom - ((scale(value) - low) / (high - low)) * (bottom - MARGIN.top);
  const x = (i) =>
    MARGIN.left + 24 + (i * (right - MARGIN.left - 48)) / Math.max(1, chart.x.length - 1);
  const body = [text(16, 50, chart.yLabel)];
  for (const mark of marks) {
    body.push(line(MARGIN.left, y(mark), right, y(mark), mark === marks[0] ? 'axis' : 'grid'));
    body.push(text(MARGIN.left - 8, y(mark) + 4, short(mark), 'text-anchor="end"'));
  }
  chart.x.forEach((name, i) => body.push(text(x(i), bottom + 20, name, 'text-anchor="middle"')));
  body.push(text((MARGIN.left + right) / 2, height - 12, chart.xLabel, 'text-anchor="middle"'));
  chart.series.forEach(({ values }, number) => {
    const points = values.flatMap((value, i) => (value > 0 ? [[x(i), y(value)]] : []));
    if (points.length === 0) return;
    const path = points.map((point) => point.map((each) => each.toFixed(1)).join(',')).join(' ');
    body.push(`<g class="c${number}"><polyline class="line" points="${path}"/>`);
    for (const [cx, cy] of points) {
      body.push(`<circle class="fill" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3.5"/>`);
    }
    body.push('</g>');
  });
  body.push(...legend(chart.series.map(({ name }) => name)));
  return document({ ...chart, height }, body);
}

function decades(values) {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: Math.max(2, to - from + 1) }, (_, i) => 10 ** (from + i));
}

function legend(names) {
  const x = WIDTH - MARGIN.right + 12;
  return names.flatMap((name, i) => [
    `<rect class="fill c${i}" x="${x}" y="${MARGIN.top + i * 22}" width="12" height="12" rx="2"/>`,
    text(x + 18, MARGIN.top + 11 + i * 22, name),
  ]);
}

/**
 * Horizontal bars, each of several parts.
 *
 * @param {{ title: string, description: string, xLabel: string, parts: string[],
 *   bars: { name: string, values: number[] }[] }} chart
 */
export function bars(chart) {
  const left = 290;
  const right = WIDTH - MARGIN.right;
  const height = MARGIN.top + chart.bars.length * 30 + MARGIN.bottom;
  const bottom = height - MARGIN.bottom;
  const sums = chart.bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const marks = ticks(Math.max(...sums));
  const x = (value) => left + (value / marks.at(-1)) * (right - left);
  const body = [];
  for (const mark of marks) {
    body.push(line(x(mark), MARGIN.top - 6, x(mark), bottom, mark === 0 ? 'axis' : 'grid'));
    body.push(text(x(mark), bottom + 18, short(mark), 'text-anchor="middle"'));
  }
  body.push(text((left + right) / 2, height - 12, chart.xLabel, 'text-anchor="middle"'));
  chart.bars.forEach(({ name, values }, row) => {
    const y = MARGIN.top + row * 30;
    body.push(text(left - 8, y + 15, name, 'text-anchor="end"'));
    let sum = 0;
    values.forEach((value, i) => {
      const width = (x(sum + value) - x(sum)).toFixed(1);
      body.push(
        `<rect class="fill c${i}" x="${x(sum).toFixed(1)}" y="${y}" width="${width}" height="20"/>`,
      );
      sum += value;
    });
  });
  body.push(...legend(chart.parts));
  return document({ ...chart, height }, body);
}

/**
 * Horizontal bars of ratios, with their noise, and a line at 1.
 *
 * @param {{ title: string, description: string, xLabel: string, base: string,
 *   bars: { name: string, ratio: number, noise: number }[] }} chart
 */
export function ratioBars(chart) {
  const left = 250;
  const right = WIDTH - 56;
  const height = MARGIN.top + chart.bars.length * 30 + MARGIN.bottom;
  const bottom = height - MARGIN.bottom;
  const marks = ticks(Math.max(1, ...chart.bars.map(({ ratio, noise }) => ratio + noise)));
  const x = (value) => left + (value / marks.at(-1)) * (right - left);
  const body = [];
  for (const mark of marks) {
    body.push(line(x(mark), MARGIN.top - 6, x(mark), bottom, mark === 0 ? 'axis' : 'grid'));
    body.push(text(x(mark), bottom + 18, short(+mark.toFixed(2)), 'text-anchor="middle"'));
  }
  chart.bars.forEach(({ name, ratio, noise }, row) => {
    const y = MARGIN.top + row * 30;
    const colour = ratio <= 1 ? 'c0' : 'c1';
    const width = (x(ratio) - left).toFixed(1);
    body.push(text(left - 8, y + 15, name, 'text-anchor="end"'));
    body.push(`<rect class="fill ${colour}" x="${left}" y="${y}" width="${width}" height="20"/>`);
    body.push(line(x(ratio - noise), y + 10, x(ratio + noise), y + 10, 'axis'));
    body.push(text(right + 8, y + 15, ratio.toFixed(2)));
  });
  body.push(line(x(1), MARGIN.top - 10, x(1), bottom, 'axis'));
  body.push(text(x(1), MARGIN.top - 14, chart.base, 'text-anchor="middle"'));
  body.push(text((left + right) / 2, height - 12, chart.xLabel, 'text-anchor="middle"'));
  return document({ ...chart, height }, body);
}

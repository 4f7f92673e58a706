// Joins the source maps of files that were put into one. Node does not follow the sections that the
// format has for it, so the mappings are told anew: they are differences to what came before, in
// base 64, five bits to a digit, the sign last.
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decode(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = digits.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function encode(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = '';
  do {
    const bits = rest & 31;
    rest >>>= 5;
    text += digits[rest > 0 ? bits | 32 : bits];
  } while (rest > 0);
  return text;
}

/** Fields of a segment after the column: source, line and column in it, and its name. */
const FIELDS = 4;

/**
 * @param {string} file
 * @param {{ line: number, map: object }[]} parts  maps, and where each begins
 */
export function joinMaps(file, parts) {
  const joined = { version: 3, file, sources: [], sourcesContent: [], names: [] };
  const lines = [];
  const written = Array(FIELDS).fill(0);
  for (const { line, map } of parts) {
    while (lines.length < line) lines.push('');
    const base = [joined.sources.length, 0, 0, joined.names.length];
    const read = Array(FIELDS).fill(0);
    for (const segments of map.mappings.split(';')) {
      const told = segments.split(',').map((segment) => {
        const [column, ...rest] = decode(segment);
        const fields = rest.map((difference, field) => {
          read[field] += difference;
          const now = base[field] + read[field];
          const change = now - written[field];
          written[field] = now;
          return encode(change);
        });
        return column === undefined ? '' : encode(column) + fields.join('');
      });
      lines.push(told.join(','));
    }
    joined.sources.push(...map.sources);
    joined.sourcesContent.push(...(map.sourcesContent ?? map.sources.map(() => null)));
    joined.names.push(...(map.names ?? []));
  }
  return { ...joined, mappings: lines.join(';') };
}

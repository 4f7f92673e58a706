// Joins the source maps of files that were put into one. Node does not follow the sections that the
// format has for it.
import { decode, encode } from '@jridgewell/sourcemap-codec';

/**
 * @param {string} file
 * @param {{ line: number, map: object }[]} parts  maps, and where each begins
 */
export function joinMaps(file, parts) {
  const joined = { version: 3, file, sources: [], sourcesContent: [], names: [] };
  const lines = [];
  for (const { line, map } of parts) {
    while (lines.length < line) lines.push([]);
    // Of a segment: column, source, line and column in it, and its name.
    const base = [0, joined.sources.length, 0, 0, joined.names.length];
    const moved = (segment) => segment.map((field, i) => field + base[i]);
    for (const segments of decode(map.mappings)) lines.push(segments.map(moved));
    joined.sources.push(...map.sources);
    joined.sourcesContent.push(...(map.sourcesContent ?? map.sources.map(() => null)));
    joined.names.push(...(map.names ?? []));
  }
  return { ...joined, mappings: encode(lines) };
}

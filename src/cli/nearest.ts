/** The name that was probably meant. */

/** How many letters have to be put in, left out or replaced to make one word of the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const replaced = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Of the known names the nearest to this one; undefined where none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const [first] = [...known]
    .map((each) => ({ each, apart: distance(name, each) }))
    .filter(({ each, apart }) => apart <= Math.max(1, Math.floor(each.length / 2)))
    .sort((a, b) => a.apart - b.apart);
  return first?.each;
}

/** ` (did you mean NAME?)`, or nothing. */
export function suggestion(name: string, known: Iterable<string>, prefix = ''): string {
  const found = nearest(name, known);
  return found === undefined ? '' : ` (did you mean ${prefix}${found}?)`;
}

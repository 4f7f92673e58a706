// What the reporters told, and how the results of two runs differ.

/** @typedef {{ file: string, outcome: 'pass' | 'fail' | 'skip', why?: string }} Result */

/** Results by the test's name, which begins with its file below `folder`. */
export function parseResults(text, folder) {
  const results = new Map();
  const below = (path) => (path ?? '').replaceAll(`${folder}/`, '');
  // A run that was ended may have left half a line.
  for (const line of text.split('\n').slice(0, -1)) {
    const { path, outcome, why, ...told } = JSON.parse(line);
    const file = below(told.file);
    const base = [file, ...path.map(below)].join(' > ');
    let name = base;
    for (let same = 2; results.has(name); same++) name = `${base} #${same}`;
    results.set(name, { file, outcome, why });
  }
  return results;
}

/** What passes without us has to pass with us, and what did not fail must not. */
function differs(plain, ours) {
  return plain === 'pass' ? ours !== 'pass' : plain !== 'fail' && ours === 'fail';
}

/**
 * @param {Map<string, Result>} plain
 * @param {Map<string, Result>} ours
 */
export function compare(plain, ours) {
  const differences = [];
  const count = { tests: 0, passed: 0, skipped: 0, failOnBoth: 0, failOnNodeOnly: 0 };
  for (const name of new Set([...plain.keys(), ...ours.keys()])) {
    const before = plain.get(name)?.outcome ?? 'missing';
    const { outcome: after = 'missing', why } = ours.get(name) ?? {};
    count.tests++;
    if (differs(before, after)) {
      const { file } = plain.get(name) ?? ours.get(name);
      differences.push({ name, file, before, after, why });
    } else if (before === 'fail') count[after === 'pass' ? 'failOnNodeOnly' : 'failOnBoth']++;
    else if (after === 'pass') count.passed++;
    else count.skipped++;
  }
  return { differences, count };
}

/**
 * Of what differed, that which was the same when it was run again is flaky.
 *
 * @param {{ name: string }[]} differences
 * @param {Map<string, Result>} plain  of the second run
 * @param {Map<string, Result>} ours
 */
export function splitFlaky(differences, plain, ours) {
  const again = new Set(compare(plain, ours).differences.map(({ name }) => name));
  return {
    lasting: differences.filter(({ name }) => again.has(name)),
    flaky: differences.filter(({ name }) => !again.has(name)),
  };
}

/** What the core did in all processes of a run. */
export function parseWitness(text) {
  const seen = { processes: 0, connections: 0, bytes: 0, backends: new Set() };
  for (const line of text.split('\n').slice(0, -1)) {
    const { backend, connections, bytes } = JSON.parse(line);
    seen.processes++;
    seen.connections += connections;
    seen.bytes += bytes;
    seen.backends.add(backend);
  }
  return seen;
}

/**
 * Mutations in one file: [name, the text, what stands there instead, the test that notices it]. `by`:
 * what kind of test that is, a core test (`core`), a test file (`file`), or so many simulated
 * scenarios of sockets and servers (`scenarios`).
 */
export const inFile = (by, file, ...rows) =>
  rows.map(([name, before, after, test]) => ({ name, file, before, after, test: { [by]: test } }));

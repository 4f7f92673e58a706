/**
 * Mutations in one file: [name, the text, what stands there instead, the test that notices it]. `by`:
 * what kind of test that is, a core test (`core`) or a test file (`file`).
 */
export const inFile = (by, file, ...rows) =>
  rows.map(([name, before, after, test]) => ({ name, file, before, after, test: { [by]: test } }));

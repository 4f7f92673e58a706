// Fails where the text of a mutation (test/mutants) is no longer in its file, or there more than
// once: the mutation could not be made, and nobody would learn of it before the next nightly.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './gyp.mjs';
import { mutants, mutated } from '../test/mutants/all.mjs';

const stale = mutants.flatMap((mutant) => {
  const { reason } = mutated(mutant, readFileSync(join(root, mutant.file), 'utf8'));
  return reason === undefined ? [] : [`${mutant.name} (${mutant.file}): ${reason}`];
});
for (const each of stale) console.error(each);
process.exitCode = stale.length > 0 ? 1 : 0;

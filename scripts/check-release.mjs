// Whether this checkout may be published as what its tag says. Before anything is built, so that a
// mistake costs nothing: docs/releasing.md says what to do about each.
//
//   node scripts/check-release.mjs v1.2.3
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { root } from './gyp.mjs';

/** What the owner of the package has to fill in: npm ties the provenance to the repository. */
const ownersFields = ['author', 'bugs', 'homepage', 'repository'];

/**
 * @param {string | undefined} tag
 * @param {{ version: string }} manifest  package.json
 * @param {string} changelog
 * @returns {string[]} what is wrong
 */
export function obstacles(tag, manifest, changelog) {
  const { version } = manifest;
  const wrong = [];
  if (tag !== `v${version}`) {
    wrong.push(`the tag is ${tag ?? 'missing'}, and package.json says v${version}`);
  }
  const [, section] = changelog.split(`## [${version}]`);
  if (section === undefined) wrong.push(`CHANGELOG.md has no section for ${version}`);
  else if (!/^ - \d{4}-\d{2}-\d{2}\n/.test(section)) {
    wrong.push(`CHANGELOG.md gives no date for ${version}: "## [${version}] - YYYY-MM-DD"`);
  }
  for (const field of ownersFields) {
    if (!manifest[field]) wrong.push(`package.json has no ${field}`);
  }
  return wrong;
}

if (argv[1] === import.meta.filename) {
  const read = (file) => readFileSync(join(root, file), 'utf8');
  const wrong = obstacles(argv[2], JSON.parse(read('package.json')), read('CHANGELOG.md'));
  for (const each of wrong) console.log(`release: ${each}`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

// Makes the site: pages, reference, then HTML.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, serve } from 'vitepress';
import { build as buildPackage } from '../scripts/build.mjs';
import { htmlFolder, pagesFolder, root } from './folders.mjs';
import { writeReference } from './reference.mjs';
import { stage } from './stage.mjs';

export async function buildSite() {
  // The reference follows dist/entry.
  if (!existsSync(join(root, 'dist/entry'))) buildPackage({});
  rmSync(pagesFolder, { recursive: true, force: true });
  stage();
  await writeReference();
  await build(import.meta.dirname);
  console.log(`# the site is in ${htmlFolder}`);
}

/** Serves what was built, on a free port where it is 0, until the process ends. */
export const serveSite = (port) => serve({ root: import.meta.dirname, port });

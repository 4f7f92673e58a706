// Runs the code of README.md and docs/, and looks at the site that is made of them (site/test).
//
//   node scripts/test-docs.mjs [--no-blocks] [--no-site] [part of a page's name…]
//
// A name chooses the pages whose code is run. The packages of site/ are installed where they are
// missing; without chromium the site is built, and not looked at.
// Ends with "N passed, N failed".
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { root } from './gyp.mjs';
import { installPackages } from './npm-packages.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    blocks: { type: 'boolean', default: true },
    site: { type: 'boolean', default: true },
  },
});

build({});
installPackages(join(root, 'site'));
// Their modules need the packages.
const { Report } = await import('../site/test/report.mjs');
const report = new Report();
if (values.blocks) {
  const { runBlocks } = await import('../site/test/run-blocks.mjs');
  const isWanted = (page) =>
    positionals.length === 0 || positionals.some((name) => page.includes(name));
  await runBlocks(report, isWanted);
}
if (values.site) {
  const { buildSite } = await import('../site/build.mjs');
  const { runSite } = await import('../site/test/run-site.mjs');
  await report.check('the site is built', buildSite);
  await runSite(report);
}
report.end();

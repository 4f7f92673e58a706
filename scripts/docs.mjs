// The site of the documentation, made from README.md, docs/ and the TSDoc of the sources.
//
//   node scripts/docs.mjs [--serve [--port N]]
//
// It goes to build/site/html; --serve then shows it on this machine (port 4173, or N). The packages
// of site/ are installed where they are missing.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './gyp.mjs';
import { installPackages } from './npm-packages.mjs';

const { values } = parseArgs({
  options: { serve: { type: 'boolean' }, port: { type: 'string', default: '4173' } },
});

installPackages(join(root, 'site'));
// Its modules need the packages.
const { buildSite, serveSite } = await import('../site/build.mjs');
await buildSite();
if (values.serve) await serveSite(Number(values.port));

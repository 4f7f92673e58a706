// Takes the pictures of docs/screenshots anew: commands of ours in a terminal, and the site's front
// page. Each is of a real run on this machine.
//
//   npm run docs:screenshots [-- part of a picture's name…]
//
// The packages of site/ are installed where they are missing. Needs Linux with util-linux's script,
// and chromium (or $CHROMIUM) for the site.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { root } from './gyp.mjs';
import { installPackages } from './npm-packages.mjs';

const { positionals } = parseArgs({ allowPositionals: true });

build({});
installPackages(join(root, 'site'));
// Its modules need the packages.
const { takeScreenshots } = await import('../site/screenshots/take.mjs');
await takeScreenshots(
  (name) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);

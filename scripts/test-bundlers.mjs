// The packed package in bundles and in single-executable applications, which then run in a folder
// without packages (test/bundlers).
//
//   node scripts/test-bundlers.mjs [--executables 26]      22,24,26: of which Nodes; 20 s more for each
//
// The bundlers are installed where they are missing. Ends with "N passed, N failed".
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { root } from './gyp.mjs';
import { installPackages } from './npm-packages.mjs';

const { values } = parseArgs({ options: { executables: { type: 'string', default: '26' } } });

build({});
installPackages(join(root, 'test/bundlers'));
// Its modules need the packages.
const { testBundlers } = await import('../test/bundlers/run.mjs');
await testBundlers(values.executables.split(',').filter(Boolean));

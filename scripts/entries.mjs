// Writes dist/entry: what `import` and `require` of each entry load. Both lead
// to one CommonJS instance, so there is never a second copy of a class.
//
// The ESM file must spell its names. They are the names of the built module
// plus those another supported Node has; one that the running Node lacks is
// exported as undefined. `export *` adds what a Node newer than this build has.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './gyp.mjs';
import { writeChanged } from './write-changed.mjs';

const entries = [
  {
    name: 'net',
    module: 'net/index',
    builtin: 'node:net',
    // Not in every Node from 20 to 26.
    sometimes: ['_setSimultaneousAccepts', 'BoundSocket', '_TransferredBoundSocket'],
  },
  {
    name: 'http',
    module: 'http/index',
    builtin: 'node:http',
    sometimes: ['setGlobalProxyFromEnv', 'WebSocket', 'CloseEvent', 'MessageEvent'],
  },
  { name: 'https', module: 'https/index', builtin: 'node:https', sometimes: [] },
  { name: 'http2', module: 'http2/index', builtin: 'node:http2', sometimes: [] },
  {
    name: 'tls',
    module: 'tls/index',
    builtin: 'node:tls',
    sometimes: [
      'createSecurePair',
      'getCACertificates',
      'getCertificateCompressionAlgorithms',
      'setDefaultCACertificates',
    ],
  },
  { name: 'dgram', module: 'dgram/index', builtin: 'node:dgram', sometimes: [] },
  { name: 'framing', module: 'framing/index', sometimes: [] },
  { name: 'promises', module: 'net/promises', sometimes: [] },
  { name: 'engine', module: 'engine', sometimes: [] },
  { name: 'register', module: 'register/index', sometimes: [] },
];

const commonJs = (module) => `'use strict';

module.exports = require('../main.js').entry('${module}');
`;

// By require, since Node would search the whole of an imported CommonJS module for names.
const requiring = ({ module }) => `import { createRequire } from 'node:module';
const entry = createRequire(import.meta.url)('../main.js').entry('${module}');
`;

// Bundlers follow this, and find it by the condition 'module', which Node does not have.
const importing = ({ name }) => `import entry from './${name}.cjs';
`;

const esModule = (fetching, { builtin, names }) => `${fetching}${
  builtin ? `export * from '${builtin}';\n` : ''
}export default entry;
export const {
${names.map((each) => `  ${each},\n`).join('')}} = entry;
`;

const commonJsTypes = (module) => `import entry = require('../${module}.js');
export = entry;
`;

const esModuleTypes = (module) => `import * as entry from '../${module}.js';
export * from '../${module}.js';
export default entry;
`;

/** The names of a built entry, asked in a process of its own. */
function namesOf(file) {
  const program = 'console.log(JSON.stringify(Object.keys(require(process.argv[1]))))';
  const output = execFileSync(process.execPath, ['-e', program, file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.trim().split('\n').at(-1));
}

export function writeEntries() {
  const folder = join(root, 'dist/entry');
  mkdirSync(folder, { recursive: true });
  for (const { name, module, builtin, sometimes } of entries) {
    if (!existsSync(join(root, 'dist', `${module}.js`))) {
      console.error(`entries: no ${module}.js, so no entry '${name}'`);
      continue;
    }
    const write = (extension, text) => writeChanged(join(folder, `${name}.${extension}`), text);
    write('cjs', commonJs(module));
    write('d.cts', commonJsTypes(module));
    write('d.mts', esModuleTypes(module));
    const names = [...new Set([...namesOf(join(folder, `${name}.cjs`)), ...sometimes])]
      .filter((each) => each !== 'default')
      .sort();
    const exported = { builtin, names };
    write('mjs', esModule(requiring({ module }), exported));
    write('bundle.mjs', esModule(importing({ name }), exported));
  }
}

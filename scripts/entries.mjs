// Writes dist/entry: what `import` and `require` of each entry load. Both lead
// to one CommonJS instance, so there is never a second copy of a class.
//
// The ESM file must spell its names. They are the names of the built module
// plus those another supported Node has; one that the running Node lacks is
// exported as undefined. `export *` adds what a Node newer than this build has.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './gyp.mjs';

const entries = [
  {
    name: 'net',
    module: 'net/index.js',
    builtin: 'node:net',
    // Not in every Node from 20 to 26.
    sometimes: ['_setSimultaneousAccepts', 'BoundSocket', '_TransferredBoundSocket'],
  },
  {
    name: 'http',
    module: 'http/index.js',
    builtin: 'node:http',
    sometimes: ['setGlobalProxyFromEnv', 'WebSocket', 'CloseEvent', 'MessageEvent'],
  },
  { name: 'https', module: 'https/index.js', builtin: 'node:https', sometimes: [] },
  { name: 'http2', module: 'http2/index.js', builtin: 'node:http2', sometimes: [] },
  {
    name: 'tls',
    module: 'tls/index.js',
    builtin: 'node:tls',
    sometimes: [
      'createSecurePair',
      'getCACertificates',
      'getCertificateCompressionAlgorithms',
      'setDefaultCACertificates',
    ],
  },
  { name: 'promises', module: 'net/promises.js', sometimes: [] },
  { name: 'engine', module: 'engine.js', sometimes: [] },
  { name: 'register', module: 'register/index.js', sometimes: [] },
];

// A module compiled from `export default` or `export =` is taken as it is.
// Otherwise its names are copied to a plain object: like a built-in module it
// carries no __esModule, and stays open to patching.
const commonJs = (module) => `'use strict';

const module_ = require('../${module}');

function plain(source) {
  const target = {};
  for (const key of Object.keys(source)) {
    const { get, set: given, value } = Object.getOwnPropertyDescriptor(source, key);
    if (get === undefined) {
      target[key] = value;
      continue;
    }
    const set = given ?? ((value) =>
      Object.defineProperty(target, key, {
        configurable: true,
        enumerable: true,
        value,
        writable: true,
      }));
    Object.defineProperty(target, key, { configurable: true, enumerable: true, get, set });
  }
  return target;
}

module.exports = module_.__esModule ? (module_.default ?? plain(module_)) : module_;
`;

const esModule = ({ name, builtin, names }) => `import entry from './${name}.cjs';
${builtin ? `export * from '${builtin}';\n` : ''}export default entry;
export const {
${names.map((each) => `  ${each},\n`).join('')}} = entry;
`;

const commonJsTypes = (module) => `import entry = require('../${module}');
export = entry;
`;

const esModuleTypes = (module) => `import * as entry from '../${module}';
export * from '../${module}';
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
    if (!existsSync(join(root, 'dist', module))) {
      console.error(`entries: no ${module}, so no entry '${name}'`);
      continue;
    }
    const write = (extension, text) => writeFileSync(join(folder, `${name}.${extension}`), text);
    write('cjs', commonJs(module));
    write('d.cts', commonJsTypes(module));
    write('d.mts', esModuleTypes(module));
    const names = [...new Set([...namesOf(join(folder, `${name}.cjs`)), ...sometimes])]
      .filter((each) => each !== 'default')
      .sort();
    write('mjs', esModule({ name, builtin, names }));
  }
}

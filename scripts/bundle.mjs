// Puts the modules that tsc has made (build/dist) into few files (dist), because each file costs
// about half a millisecond to load, and each byte of it time and memory to compile.
//
// A chunk takes what its roots reach and no earlier chunk has; what is asked for within a function
// only is no root's. Every module has a file of its own in dist too, which fetches it from its
// chunk: so there is one instance of each, whoever asks. Comments are left out, lines stay where
// they were, so the maps of tsc hold and are joined.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { root } from './gyp.mjs';
import { joinMaps } from './source-map.mjs';
import { writeChanged } from './write-changed.mjs';

const require = createRequire(import.meta.url);

const { version } = require('../package.json');

const made = join(root, 'build/dist');
const dist = join(root, 'dist');

/** The first has the loader in it. What is in no chunk (the command line) stays as it is. */
const chunks = [
  {
    chunk: 'main',
    roots: ['net/index', 'engine', 'register/index', 'net/ipc/watch-children'],
  },
  // What the others share and main has no use for: so none of them loads another.
  { chunk: 'checks', roots: ['check-integer'] },
  {
    chunk: 'core',
    roots: [
      'port-plan',
      'port/addon',
      'port/transport',
      'net/node/active',
      'net/handle/socket-handle',
    ],
  },
  { chunk: 'connect', roots: ['net/connect/connect'] },
  { chunk: 'dgram', roots: ['dgram/index', 'port/port-datagrams'] },
  {
    chunk: 'rest',
    roots: [
      'diagnostics/log',
      'endpoint/endpoint',
      'port/bundled-addon',
      'port-options',
      'net/ipc/send',
      'net/send-file/send-file',
      'net/ipc/channels',
      'net/server/limits',
      'net/server/limits-on-node',
      'net/socket/keep-alive-options',
      'net/socket/queue-total',
      'net/socket/user-buffer',
      'tls/index',
      'http/index',
      'https/index',
      'http2/index',
    ],
  },
  { chunk: 'framing', roots: ['framing/index'] },
  { chunk: 'promises', roots: ['net/promises'] },
];

/** Files of dist that no file of src is compiled to. */
export const chunkNames = chunks.map(({ chunk }) => chunk);

const ourRequire = /require\(["'](\.[^"']*)["']\)/g;
/** As tsc writes an import at the top of a module. */
const importLine = /^(?=\S).*?require\("(\.[^"]*)"\)/gm;

const resolved = (name, request) => posix.join(posix.dirname(name), request);

function readModules() {
  const names = readdirSync(made, { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length).split(sep).join('/'));
  return new Map(names.map((name) => [name, readFileSync(join(made, `${name}.js`), 'utf8')]));
}

function reach(modules, name, into) {
  if (into.has(name)) return;
  into.add(name);
  for (const [, request] of modules.get(name).matchAll(importLine)) {
    reach(modules, resolved(name, request), into);
  }
}

/** The chunk of each module that is in one. */
function assign(modules) {
  const chunkOf = new Map();
  for (const { chunk, roots } of chunks) {
    const reached = new Set();
    for (const each of roots) reach(modules, each, reached);
    for (const name of reached) if (!chunkOf.has(name)) chunkOf.set(name, chunk);
  }
  return chunkOf;
}

function commentsOf(text) {
  const ts = require('typescript');
  const source = ts.createSourceFile('module.js', text, ts.ScriptTarget.ES2022, true);
  const comments = new Map();
  const visit = (node) => {
    const around = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    // Within a template's text there are none, whatever it looks like.
    const isText = ts.isTemplateLiteralToken?.(node) || node.kind === ts.SyntaxKind.JsxText;
    if (!isText) for (const { pos, end } of around) comments.set(pos, end);
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...comments].sort(([a], [b]) => a - b);
}

function withoutComments(text) {
  let kept = '';
  let at = 0;
  for (const [pos, end] of commentsOf(text)) {
    kept += text.slice(at, pos) + text.slice(pos, end).replace(/[^\n]+/g, '');
    at = end;
  }
  return (kept + text.slice(at)).replace(/[ \t]+$/gm, '');
}

// One character beyond Latin-1 makes V8 keep two bytes for each.
function checkCharacters(file, text) {
  // eslint-disable-next-line no-control-regex -- the range is meant
  const found = /[^\x00-\xff]/.exec(text);
  if (found) throw new Error(`${file} must be Latin-1, and has ${found[0]}`);
}

const loader = (chunkOf) => `
const chunks = { main: modules };
// Each by its literal name, for those who bundle the package.
const others = {
${chunks
  .slice(1)
  .map(({ chunk }) => `  ${chunk}: () => require('./${chunk}.js'),\n`)
  .join('')}};
const chunkOf = {
${[...chunkOf]
  .filter(([, chunk]) => chunk !== 'main')
  .map(([name, chunk]) => `  '${name}': '${chunk}',\n`)
  .join('')}};
const loaded = new Map();

function load(name) {
  const before = loaded.get(name);
  if (before !== undefined) return before.exports;
  const chunk = chunkOf[name] ?? 'main';
  chunks[chunk] ??= others[chunk]()(load);
  const module = { exports: {} };
  loaded.set(name, module);
  try {
    chunks[chunk][name].call(module.exports, module.exports, module);
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return module.exports;
}

// What the entries of the package export. A module compiled from \`export default\` or \`export =\`
// is taken as it is. Otherwise its names are copied to a plain object: like a built-in module it
// carries no __esModule, and stays open to patching.
function plain(source) {
  const target = {};
  for (const key of Object.keys(source)) {
    if (key === '__esModule') continue;
    const { get, set: given, value } = Object.getOwnPropertyDescriptor(source, key);
    if (get === undefined) {
      target[key] = value;
      continue;
    }
    const set =
      given ??
      ((value) =>
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

const entries = new Map();

function entry(name) {
  let exported = entries.get(name);
  if (exported === undefined) {
    const module = load(name);
    exported = module.__esModule ? (module.default ?? plain(module)) : module;
    entries.set(name, exported);
  }
  return exported;
}

module.exports = load;
load.entry = entry;
`;

/** The text of a chunk, and its map. */
function compose(chunk, modules, chunkOf) {
  const isMain = chunk === 'main';
  const parts = [];
  let text =
    "'use strict';\n// Made by scripts/bundle.mjs from the files beside it; the sources are in the map.\n";
  text += isMain ? 'const modules = {\n' : 'module.exports = (load) => ({\n';
  for (const [name, source] of modules) {
    if (chunkOf.get(name) !== chunk) continue;
    // In parentheses: V8 compiles at once what will be called at once.
    text += `'${name}': (function (exports, module) {\n`;
    const line = text.split('\n').length - 1;
    const map = JSON.parse(readFileSync(join(made, `${name}.js.map`), 'utf8'));
    const folder = dirname(join(made, name));
    map.sources = map.sources.map((each) =>
      relative(dist, join(folder, each)).split(sep).join('/'),
    );
    parts.push({ line, map });
    const plain = withoutComments(source).trimEnd();
    text += plain
      // A name on Object.prototype, such as get, would spoil the descriptor.
      .replace('Object.defineProperty(exports, "__esModule", { value: true });', esModule)
      .replace(ourRequire, (text, request) => {
        const asked = resolved(name, request);
        return modules.has(asked) ? `load("${asked}")` : text;
      })
      .replaceAll("require('../package.json')", JSON.stringify({ version }))
      .replaceAll('__dirname', `(__dirname + '/${posix.dirname(name)}')`);
    text += '\n}),\n';
  }
  text += isMain ? `};\n${loader(chunkOf)}` : '});\n';
  text += `//# sourceMappingURL=${chunk}.js.map\n`;
  return { text, map: joinMaps(`${chunk}.js`, parts) };
}

const esModule = 'exports.__esModule = true;';

const stub = (name) => {
  const up = '../'.repeat(name.split('/').length - 1) || './';
  return `'use strict';\n\nmodule.exports = require('${up}main.js')('${name}');\n`;
};

function write(file, text) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  writeChanged(join(dist, file), text);
}

export function writeBundle() {
  const modules = readModules();
  const chunkOf = assign(modules);
  for (const { chunk } of chunks) {
    const { text, map } = compose(chunk, modules, chunkOf);
    checkCharacters(`${chunk}.js`, text);
    write(`${chunk}.js`, text);
    write(`${chunk}.js.map`, JSON.stringify(map));
  }
  for (const [name, text] of modules) {
    if (chunkOf.has(name)) {
      write(`${name}.js`, stub(name));
      rmSync(join(dist, `${name}.js.map`), { force: true });
    } else {
      write(`${name}.js`, text);
      write(`${name}.js.map`, readFileSync(join(made, `${name}.js.map`)));
    }
  }
}

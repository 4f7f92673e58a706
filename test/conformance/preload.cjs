'use strict';

// Loaded first (`node --require`) in every process of a test of Node's, its children and workers
// too: gives test files ours where they ask for `net`. Settings come by the environment:
//
// CONFORMANCE_NET       file of the module that takes the place of `net`
// CONFORMANCE_MODULE    the builtin whose place it takes, where that is another one
// CONFORMANCE_REGISTER  or: file to load, which replaces `net` in the whole process
// CONFORMANCE_TRACE     '1': count the handles that Node's own net makes
// CONFORMANCE_NOTES     file that gets one line per fact, for the runner
// CONFORMANCE_LOOPBACK  the name under which tests look for the loopback interface

const asyncHooks = require('async_hooks');
const fs = require('fs');
const Module = require('module');
const os = require('os');
const path = require('path');
const util = require('util');
const { pathToFileURL } = require('url');

const { env } = process;
const { appendFileSync, readFileSync } = fs;

function note(fact) {
  try {
    appendFileSync(env.CONFORMANCE_NOTES, `${fact}\n`);
  } catch {
    // A test without permission to write; its other processes say what is needed.
  }
}

/** Loads without letting warnings of ours into tests that watch for warnings. */
function loadQuietly(load) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

// --- What the tests' own library expects of the machine ---------------------------------------

// Tests of newer Nodes ask where they were called from; Node 20 has no such function.
util.getCallSites ??= () => {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (_, sites) => sites;
  const sites = new Error().stack.slice(1);
  Error.prepareStackTrace = prepareStackTrace;
  return sites.map((site) => ({
    functionName: site.getFunctionName() ?? '',
    scriptName: site.getFileName() ?? '',
    scriptId: '0',
    lineNumber: site.getLineNumber(),
    column: site.getColumnNumber(),
    columnNumber: site.getColumnNumber(),
  }));
};

// Wine names interfaces as Linux does; Node's tests know the loopback by its name on Windows.
if (env.CONFORMANCE_LOOPBACK) {
  const { networkInterfaces } = os;
  os.networkInterfaces = () => {
    const { lo, ...others } = networkInterfaces();
    return lo === undefined ? others : { ...others, [env.CONFORMANCE_LOOPBACK]: lo };
  };
}

// --- Node's own handles -----------------------------------------------------------------------

const netHandles = /^(?:TCP|PIPE)(?:SERVER|CONNECT)?WRAP$/;
// The pipes to a child process and the standard streams are none of net's.
const madeByOthers = /node:internal\/(?:child_process|bootstrap)|node:child_process/;

/** Counts handles by type. Ours are AsyncResources of the same types. */
function countHandles() {
  const counts = {};
  const init = (id, type, trigger, resource) => {
    if (!netHandles.test(type) || resource instanceof asyncHooks.AsyncResource) return;
    if (type === 'PIPEWRAP' && madeByOthers.test(new Error().stack)) return;
    counts[type] = (counts[type] ?? 0) + 1;
  };
  asyncHooks.createHook({ init }).enable();
  process.on('exit', () => {
    for (const [type, count] of Object.entries(counts)) note(`handle ${type} ${count}`);
  });
}

// --- The swap ---------------------------------------------------------------------------------

const replaced = env.CONFORMANCE_MODULE || 'net';

const isReplaced = (request) => request === replaced || request === `node:${replaced}`;

/** Whether the main file takes it by `import`; only then are its modules hooked. */
function importsReplaced(file) {
  try {
    const imports = new RegExp(`\\bimport\\b[^\\n]*['"](?:node:)?${replaced}['"]`);
    return imports.test(readFileSync(file, 'utf8'));
  } catch {
    return false; // --eval, a REPL
  }
}

function hookImports(entry, packageFolder) {
  // The entry of ESM lies beside that of CommonJS and gives the same objects.
  const url = pathToFileURL(entry.replace(/\.cjs$/, '.mjs')).href;
  const data = { url, replaced, inside: pathToFileURL(packageFolder).href };
  if (Module.registerHooks === undefined) {
    Module.register(pathToFileURL(path.join(__dirname, 'import-hooks.mjs')), { data });
    return;
  }
  Module.registerHooks({
    resolve(specifier, context, nextResolve) {
      const isImport = context.conditions?.includes('import') ?? false;
      if (!isImport || !isReplaced(specifier) || context.parentURL?.startsWith(data.inside)) {
        return nextResolve(specifier, context);
      }
      return { url, format: 'module', shortCircuit: true };
    },
  });
}

function swap(entry) {
  const packageFolder = path.join(path.dirname(entry), '..', '..') + path.sep;
  const load = Module._load;
  let noted = false;
  Module._load = function (request, parent, isMain) {
    const from = parent?.filename ?? '';
    if (!isReplaced(request) || from.startsWith(packageFolder)) {
      return Reflect.apply(load, this, [request, parent, isMain]);
    }
    // The tests' own library loads net as well, for every test.
    if (!noted && path.basename(path.dirname(from)) !== 'common') {
      noted = true;
      note('swapped');
    }
    return loadQuietly(() => Reflect.apply(load, Module, [entry, null, false]));
  };
  if (importsReplaced(process.argv[1])) {
    hookImports(entry, packageFolder);
    note('swapped');
  }
}

if (env.CONFORMANCE_TRACE === '1') countHandles();
if (env.CONFORMANCE_REGISTER) {
  loadQuietly(() => require(env.CONFORMANCE_REGISTER));
  note('swapped');
} else if (env.CONFORMANCE_NET) {
  swap(env.CONFORMANCE_NET);
}

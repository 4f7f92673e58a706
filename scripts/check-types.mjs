// Compiles test/types against the types of each line of Node that we support: what users of that
// line compile against ours, declaration files included.
//
//   node scripts/check-types.mjs        needs dist (npm run compile)
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { root } from './gyp.mjs';

// Packages of package.json: aliases of @types/node, which itself is of the newest line.
const lines = {
  20: 'types-node-20',
  22: 'types-node-22',
  24: 'types-node-24',
  25: 'types-node-25',
  26: '@types/node',
};

const options = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.Node20,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  esModuleInterop: true,
  types: ['node'],
  // As a user without skipLibCheck sees them.
  skipLibCheck: false,
};

const folder = join(root, 'test/types');
const files = readdirSync(folder).map((file) => join(folder, file));

const nameOf = (reference) => (typeof reference === 'string' ? reference : reference.fileName);

/** A compiler to which `node` is this package, wherever it is referred to. */
function hostWith(types) {
  const host = ts.createCompilerHost(options);
  const resolvedFileName = join(root, 'node_modules', types, 'index.d.ts');
  host.resolveTypeReferenceDirectiveReferences = (references, containingFile) =>
    references.map((reference) =>
      nameOf(reference) === 'node'
        ? { resolvedTypeReferenceDirective: { primary: true, resolvedFileName } }
        : ts.resolveTypeReferenceDirective(nameOf(reference), containingFile, options, host),
    );
  return host;
}

/** Complaints about our files, and about none of @types/node's own. */
function complaints(types) {
  const program = ts.createProgram(files, options, hostWith(types));
  const strays = program
    .getSourceFiles()
    .filter(({ fileName }) => /\/(?:types-node-\d+|@types\/node)\/index\.d\.ts$/.test(fileName));
  if (strays.length !== 1) throw new Error(`${strays.length} versions of the types at once`);
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => !file?.fileName.includes('/node_modules/'));
}

/** Prints what is wrong; the number of lines of Node for which something is. */
function checkTypes() {
  const host = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  };
  const failed = Object.entries(lines).filter(([line, types]) => {
    const found = complaints(types);
    if (found.length > 0) {
      console.log(`against the types of Node ${line}:`);
      console.log(ts.formatDiagnostics(found, host));
    }
    return found.length > 0;
  });
  return failed.length;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const failed = checkTypes();
  console.log(`${Object.keys(lines).length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

// Fails where modules of src import each other in a circle: none of them can then be read, changed
// or loaded without all the others. Imports of types count, and so does a `require` at first need.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from './gyp.mjs';

const imports = [
  /^(?:import|export) [^;]*?from '(\.[^']+)';/gm,
  /^import '(\.[^']+)';/gm,
  /\brequire\('(\.[^']+)'\)/g,
  /\bimport\('(\.[^']+)'\)/g,
];

function fileOf(importer, request) {
  const path = posix.join(posix.dirname(importer), request);
  return [`${path}.ts`, `${path}/index.ts`].find((file) => existsSync(join(root, file)));
}

function importedBy(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return imports
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map(([, request]) => fileOf(file, request))
    .filter((imported) => imported !== undefined);
}

const unvisited = new Set(
  readdirSync(join(root, 'src'), { recursive: true })
    .map((file) => `src/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts')),
);
let circles = 0;

/** `path`: the modules that led here. */
function visit(file, path) {
  const begin = path.indexOf(file);
  if (begin >= 0) {
    circles += 1;
    console.log(`circle of imports: ${[...path.slice(begin), file].join(' -> ')}`);
  } else if (unvisited.has(file)) {
    for (const imported of importedBy(file)) visit(imported, [...path, file]);
    unvisited.delete(file);
  }
}

for (const file of unvisited) visit(file, []);
process.exitCode = circles > 0 ? 1 : 0;

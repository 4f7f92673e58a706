// Looks at what npm would publish: packs it, and has publint look whether Node and bundlers find
// what package.json promises, and attw whether TypeScript does; each from the tarball, since what a
// checkout has beside it misleads both.
//
//   node scripts/check-package.mjs [--complete]        needs dist (npm run compile)
//
// --complete: also that it has the binaries of all platforms (npm run prebuild), and no others.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './gyp.mjs';
import { targets } from './prebuild-targets.mjs';

const require = createRequire(import.meta.url);

const { values } = parseArgs({ options: { complete: { type: 'boolean', default: false } } });

/** What a reader of the tarball expects, beside what is loaded. */
const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];

const binaries = targets.map(({ file }) => `prebuilds/${file}`);

/** What is loaded, and what `npx iocp-net build` compiles: no tests. */
const expected = [
  /^(?:dist|prebuilds)\//,
  /^deps\/[\w-]+\.(?:gypi|mjs)$/,
  /^deps\/completion-port\/(?:completion-port\.gyp$|include\/|src\/)/,
  /^src\/binding\//,
];

/** The tarball, and the paths in it. */
function pack(folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm ? [process.execPath, npm] : ['npm'];
  const output = execFileSync(command, [...first, ...args], { cwd: root, encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(output);
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}

/** All files that the exports of package.json name. */
function* exported(target) {
  if (typeof target === 'string') yield target.replace(/^\.\//, '');
  else for (const each of Object.values(target)) yield* exported(each);
}

function wrongFiles(files) {
  const { bin, exports } = require('../package.json');
  const wanted = [...texts, ...exported(exports), ...exported(bin)];
  const wrong = wanted
    .filter((file) => !files.includes(file))
    .map((file) => `${file} is not in it`);
  const strange = files.filter((file) => !expected.some((pattern) => pattern.test(file)));
  wrong.push(...strange.filter((file) => !texts.includes(file)).map((file) => `what is ${file}?`));
  if (!values.complete) return wrong;
  const found = files.filter((file) => file.startsWith('prebuilds/'));
  wrong.push(...binaries.filter((file) => !found.includes(file)).map((file) => `no ${file}`));
  wrong.push(...found.filter((file) => !binaries.includes(file)).map((file) => `what is ${file}?`));
  return wrong;
}

function run(name, [file, ...args]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status === 0) return true;
  console.log(`${name}:\n${stdout}${stderr}`);
  return false;
}

/** The program of a package, whose package.json may not be exported. */
function program(name, file) {
  const folder = require.resolve
    .paths(name)
    .map((each) => join(each, name))
    .find((each) => dirname(each) === dirname(join(root, 'node_modules', name)));
  return join(folder, file);
}

const folder = mkdtempSync(join(tmpdir(), 'iocp-net-package-'));
try {
  const { tarball, files } = pack(folder);
  const wrong = wrongFiles(files);
  for (const each of wrong) console.log(`package: ${each}`);
  const good = [
    wrong.length === 0,
    run('publint', [program('publint', 'src/cli.js'), '--strict', tarball]),
    // node10: TypeScript's rules from before there were exports. Our oldest Node has them.
    run('attw', [
      program('@arethetypeswrong/cli', 'dist/index.js'),
      ...[tarball, '--profile', 'node16', '--no-emoji', '--no-color'],
    ]),
  ];
  process.exitCode = good.every(Boolean) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

// Builds what is out of date: the addon, dist/, and with --tests build/test.
//
//   node scripts/build.mjs [--tests] [--no-addon]
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { chunkNames, writeBundle } from './bundle.mjs';
import { writeEntries } from './entries.mjs';
import { hasSources, root } from './gyp.mjs';

const require = createRequire(import.meta.url);

const filesUnder = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [];

/** Headers that came with this Node save node-gyp a download. */
export function headerEnvironment() {
  const prefix = dirname(dirname(process.execPath));
  const found = existsSync(join(prefix, 'include/node/node_api.h'));
  if (!found || process.env.npm_config_nodedir) return process.env;
  return { ...process.env, npm_config_nodedir: prefix };
}

function buildAddon() {
  if (!hasSources.addon()) return console.error('build: no src/binding, so no addon');
  const made = join(root, 'build/Release/iocp_net.node');
  const sources = [
    join(root, 'binding.gyp'),
    ...filesUnder(join(root, 'src/binding')),
    ...filesUnder(join(root, 'deps')).filter((file) => !file.includes(join('port', 'test'))),
  ];
  const made_ms = existsSync(made) ? statSync(made).mtimeMs : 0;
  if (sources.every((file) => statSync(file).mtimeMs < made_ms)) return;
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  execFileSync(
    process.execPath,
    [nodeGyp, '--loglevel=warn', 'configure', 'build', `--jobs=${availableParallelism()}`],
    {
      cwd: root,
      env: headerEnvironment(),
      stdio: 'inherit',
    },
  );
}

/** Drops what an earlier build made from a file that is gone; not what is made of several, by name. */
function prune(madeFolder, sourceFolder, made = []) {
  for (const file of filesUnder(madeFolder)) {
    const match = /^(.*?)(?:\.d)?\.([cm]?)(?:js|ts)(?:\.map)?$/.exec(file);
    if (!match || file.startsWith(join(root, 'dist/entry'))) continue;
    const name = match[1].slice(madeFolder.length + 1);
    if (made.includes(name) || existsSync(join(sourceFolder, `${name}.${match[2]}ts`))) continue;
    rmSync(file);
  }
}

function compile(project, folders, buildInfo) {
  // tsc believes its notes rather than its eyes.
  if (folders.some((folder) => !existsSync(join(root, folder)))) {
    rmSync(join(root, buildInfo), { force: true });
  }
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', project], {
    cwd: root,
    stdio: 'inherit',
  });
}

export function build({ tests = false, addon = true } = {}) {
  if (addon) buildAddon();
  compile('tsconfig.json', ['build/dist', 'dist'], 'build/tsc/dist.tsbuildinfo');
  prune(join(root, 'build/dist'), join(root, 'src'));
  prune(join(root, 'dist'), join(root, 'src'), chunkNames);
  writeBundle();
  writeEntries();
  if (!tests) return;
  compile('test/tsconfig.json', ['build/test'], 'build/tsc/test.tsbuildinfo');
  prune(join(root, 'build/test'), join(root, 'test'));
}

if (argv[1] === import.meta.filename) {
  try {
    build({ tests: argv.includes('--tests'), addon: !argv.includes('--no-addon') });
  } catch (error) {
    // The compiler has already said what is wrong.
    if (error.status === undefined) throw error;
    process.exitCode = 1;
  }
}

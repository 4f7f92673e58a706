// Single-executable applications, from what `executableBundle` makes.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBinary } from '../../scripts/node-versions.mjs';

const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** From this version on Node writes the executable itself. */
const buildsItself = 26;

function inject(node, project, config) {
  const { output } = config;
  const blob = `${output}.blob`;
  writeFileSync(join(project, 'blob.json'), JSON.stringify({ ...config, output: blob }));
  execFileSync(node, ['--experimental-sea-config', 'blob.json'], { cwd: project, stdio: 'pipe' });
  copyFileSync(node, join(project, output));
  // postject reads all of the symbols, and takes a minute for it.
  execFileSync('strip', [join(project, output)]);
  const args = [output, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse];
  execFileSync('node_modules/.bin/postject', args, { cwd: project, stdio: 'pipe' });
}

/** @returns {string} the executable, relative to the project */
export function makeExecutable(project, version, hasAsset) {
  const node = nodeBinary('linux', version);
  const config = JSON.parse(readFileSync(join(project, 'sea.json'), 'utf8'));
  config.output += `-${version}${hasAsset ? '' : '-without-asset'}`;
  if (!hasAsset) delete config.assets;
  if (Number(version) < buildsItself) inject(node, project, config);
  else {
    writeFileSync(join(project, 'build.json'), JSON.stringify(config));
    execFileSync(node, ['--build-sea', 'build.json'], { cwd: project, stdio: 'pipe' });
  }
  return config.output;
}

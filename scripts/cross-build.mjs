// Makes the Windows addon and the Windows core tests on Linux, from the same
// binding.gyp, with Debian's g++-mingw-w64-x86-64.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildTarget, root } from './gyp.mjs';

const require = createRequire(import.meta.url);
const prefix = 'x86_64-w64-mingw32-';

/** IOCP_NET_PREBUILD for a Windows Node started from the project's folder. */
export const windowsBuild = 'build/windows';

const tools = {
  'CC.target': `${prefix}gcc-posix`,
  'CXX.target': `${prefix}g++-posix`,
  'LINK.target': `${prefix}g++-posix`,
  'AR.target': `${prefix}ar`,
};

/** An import library that resolves the Node-API symbols at first use. */
function makeImportLibrary() {
  const folder = join(root, windowsBuild);
  mkdirSync(folder, { recursive: true });
  const { js_native_api_def, node_api_def } = require('node-api-headers').def_paths;
  const names = [js_native_api_def, node_api_def].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .filter((line) => /^\s*\w+\s*$/.test(line) && line.trim() !== 'EXPORTS'),
  );
  const def = join(folder, 'node.def');
  const library = join(folder, 'libnode.a');
  writeFileSync(def, `LIBRARY node.exe\nEXPORTS\n${names.join('\n')}\n`);
  execFileSync(`${prefix}dlltool`, ['-D', 'node.exe', '-d', def, '-y', library]);
  return library;
}

function crossBuild(target) {
  const defines = { OS: 'win', mingw: '1', node_import_library: makeImportLibrary() };
  return buildTarget({ target, out: 'windows', defines, tools });
}

/** @returns {string} the Windows .node file */
export function crossBuildAddon() {
  return crossBuild('iocp_net');
}

/** @returns {string} the core tests as a Windows .exe */
export function crossBuildCoreTests() {
  return crossBuild('completion_port_test');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(crossBuildAddon());
  console.log(crossBuildCoreTests());
}

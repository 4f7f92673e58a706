// Makes the Windows addon and the Windows core tests on Linux, from the same binding.gyp: for x64
// with Debian's g++-mingw-w64-x86-64, for ARM64, which Debian has no mingw for, with zig.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildTarget, root } from './gyp.mjs';
import { zigFor } from './zig.mjs';

const require = createRequire(import.meta.url);
const prefix = 'x86_64-w64-mingw32-';

/** IOCP_NET_PREBUILD for a Windows Node started from the project's folder. */
export const windowsBuild = 'build/windows';

const folderOf = (arch) => (arch === 'x64' ? windowsBuild : `${windowsBuild}-${arch}`);

const mingw = { cc: `${prefix}gcc-posix`, cxx: `${prefix}g++-posix`, ar: `${prefix}ar`, env: {} };

/**
 * The addon finds Node-API in the running executable, whatever its name (Electron), or in the
 * library that Node is. Neither lld nor zig makes a library of delayed imports for that, so what the
 * headers call, pointers named as those of an import library, is filled in here when it is loaded.
 */
function writeImports() {
  const folder = join(root, windowsBuild);
  mkdirSync(folder, { recursive: true });
  const { js_native_api_def, node_api_def } = require('node-api-headers').def_paths;
  const listed = [js_native_api_def, node_api_def].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => /^\w+$/.test(line) && line !== 'EXPORTS'),
  );
  const names = [...new Set(listed)]; // one list has what is in the other
  const rows = (row) => names.map(row).join('\n');
  const source = join(folder, 'node_api_imports.cc');
  writeFileSync(
    source,
    `// Made by scripts/cross-build.mjs.
#include <windows.h>

extern "C" {
${rows((name) => `FARPROC __imp_${name};`)}
}

namespace {

bool Fill() {
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
${rows((name) => `  __imp_${name} = GetProcAddress(host, "${name}");`)}
  return true;
}

[[maybe_unused]] const bool filled = Fill();

}  // namespace
`,
  );
  return source;
}

function crossBuild(target, { arch = 'x64', triple, strip = false, fresh = false } = {}) {
  if (fresh) rmSync(join(root, folderOf(arch)), { recursive: true, force: true });
  const { cc, cxx, ar, env } = triple ? zigFor(triple) : mingw;
  return buildTarget({
    target,
    out: relative('build', folderOf(arch)),
    defines: {
      OS: 'win',
      mingw: '1',
      target_arch: arch,
      zig: triple ? '1' : '0',
      node_api_imports: relative(root, writeImports()),
    },
    tools: {
      ...{ 'CC.target': cc, 'CXX.target': cxx, 'LINK.target': cxx, 'AR.target': ar },
      // By the linker: `strip` would put the time into the file.
      ...(strip && { 'LDFLAGS.target': '-s' }),
    },
    env,
  });
}

/**
 * @param {{ arch?: string, triple?: string, strip?: boolean, fresh?: boolean }} [options]  by
 *   default for x64, by mingw; `triple` is that of zig, `fresh` forgets what was compiled before
 * @returns {string} the Windows .node file
 */
export function crossBuildAddon(options) {
  return crossBuild('iocp_net', options);
}

/** @returns {string} the core tests as a Windows .exe */
export function crossBuildCoreTests() {
  return crossBuild('completion_port_test');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(crossBuildAddon());
  console.log(crossBuildCoreTests());
}

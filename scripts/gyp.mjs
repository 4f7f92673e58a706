// Builds targets of our .gyp files without Node's own headers, using the gyp
// that node-gyp ships. One source list serves every build:
//
//   core tests and sanitizers   native compiler
//   the Windows addon on Linux  mingw, OS=win (see cross-build.mjs)
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gypArguments } from '../deps/gyp-arguments.mjs';

const require = createRequire(import.meta.url);

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Of all targets, so that those of one flavour share what they are made of. */
export const gypFiles = ['binding.gyp', 'deps/completion-port/completion-port.gyp'];
/** Of the addon on the simulated system. */
const simulatedGyp = 'test/sim/native/simulated-addon.gyp';

/** Is there anything to compile in this target yet? */
export const hasSources = {
  addon: () => existsSync(join(root, 'src/binding')),
  core: () => existsSync(join(root, 'deps/completion-port/test')),
};

/** The headers in these folders of the checkout, by path. */
export const headersIn = (folders) =>
  folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)),
    )
    .filter((file) => file.endsWith('.h'))
    .sort();

/** gyp's generator `format`, for all targets of these files. */
export function runGyp(format, defines, options, files = gypFiles) {
  const nodeGyp = dirname(require.resolve('node-gyp/package.json'));
  const variables = {
    OS: process.platform === 'darwin' ? 'mac' : process.platform,
    target_arch: process.arch,
    node_api_include: require('node-api-headers').include_dir,
    ...defines,
  };
  execFileSync(
    process.env.PYTHON ?? 'python3',
    gypArguments({ nodeGyp, root, files, format, variables, options }),
    { cwd: root, stdio: 'inherit' },
  );
}

/**
 * @param {object} options
 * @param {'iocp_net' | 'iocp_net_simulated' | 'iocp_net_simulated_clock' | 'completion_port_test' |
 *   'completion_port_sim' | 'completion_port_guard'} options.target
 * @param {string} options.out      folder under build/ that belongs to this flavour
 * @param {Record<string, string>} [options.defines]  gyp variables
 * @param {Record<string, string>} [options.tools]    make variables (CXX.target=…)
 * @param {Record<string, string>} [options.env]      what the tools want in their environment
 * @returns {string} the file made
 */
export function buildTarget({ target, out, defines = {}, tools = {}, env = {} }) {
  const folder = join(root, 'build', out);
  mkdirSync(folder, { recursive: true });

  const files = target.startsWith('iocp_net_simulated') ? [...gypFiles, simulatedGyp] : gypFiles;
  runGyp('make', defines, [`--generator-output=${folder}`], files);
  execFileSync(
    'make',
    [
      '--silent',
      ...['-C', folder, `-j${availableParallelism()}`, 'BUILDTYPE=Release', target],
      ...Object.entries(tools).map(([name, value]) => `${name}=${value}`),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  );

  const windows = (defines.OS ?? process.platform) === 'win';
  const release = join(folder, 'out/Release');
  if (target === 'iocp_net_simulated_clock') return join(release, `${target}.node`);
  if (!target.startsWith('iocp_net')) return join(release, windows ? `${target}.exe` : target);
  // Where node-gyp-build looks when IOCP_NET_PREBUILD=build/<out>.
  const made = join(folder, 'build/Release', `${target}.node`);
  mkdirSync(dirname(made), { recursive: true });
  copyFileSync(join(release, `${target}.node`), made);
  return made;
}

// How each bundler is called: in a project that has `program.mjs`, its configuration and the package.
// The commands and the configuration are those of docs/bundlers.md.

const esbuild = 'esbuild program.mjs --bundle --platform=node';
const banner =
  "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
const besides = (...folders) =>
  folders.map((each) => `cp -r node_modules/iocp-net/prebuilds out/${each}/`);

/**
 * @typedef {object} Bundle
 * @property {string} name
 * @property {string[]} commands  in the order in which they are run
 * @property {string} [config]  a file in fixtures
 * @property {string[]} programs  below `out`
 */

/** @type {Bundle[]} */
export const bundles = [
  {
    name: 'esbuild, CommonJS',
    commands: [`${esbuild} --loader:.node=copy --outdir=out/esbuild`],
    programs: ['esbuild/program.js'],
  },
  {
    name: 'esbuild, the binary by its path',
    commands: [`${esbuild} --loader:.node=file --outdir=out/esbuild-file`],
    programs: ['esbuild-file/program.js'],
  },
  {
    name: 'esbuild, ES module',
    commands: [
      `${esbuild} --format=esm --loader:.node=copy --outdir=out/esbuild-esm ` +
        `--out-extension:.js=.mjs --banner:js="${banner}"`,
    ],
    programs: ['esbuild-esm/program.mjs'],
  },
  {
    name: 'webpack',
    commands: ['webpack --config webpack.config.cjs'],
    config: 'webpack.config.cjs',
    programs: ['webpack/program.js'],
  },
  {
    name: 'rollup, ES module and CommonJS',
    commands: ['rollup --config rollup.config.mjs', ...besides('rollup', 'rollup-cjs')],
    config: 'rollup.config.mjs',
    programs: ['rollup/program.mjs', 'rollup-cjs/program.cjs'],
  },
  {
    name: 'vite',
    commands: ['vite build --config vite.config.mjs', ...besides('vite')],
    config: 'vite.config.mjs',
    programs: ['vite/program.mjs'],
  },
  {
    name: 'ncc',
    commands: ['ncc build program.mjs -o out/ncc'],
    programs: ['ncc/index.mjs'],
  },
];

/** What `sea.json` takes as `main`. The binary is an asset, or lies beside the executable. */
export const executableBundle = `${esbuild} --external:*.node --outfile=out/sea/program.js`;

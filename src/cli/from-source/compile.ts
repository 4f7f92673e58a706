/** From the sources in the package to a binary, in a folder of its own. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from './run';
import { wordsOf, type Toolchain } from './toolchain';

/** Of the published package.json, so that a build has the versions with which it is tested. */
const TOOLS = ['node-gyp', 'node-addon-api', 'node-api-headers'] as const;
const SOURCES = ['deps', 'src/binding'];
/** As in the checkout. */
const BINDING_GYP = `{'includes': ['deps/common.gypi', 'src/binding/addon.gypi']}\n`;

interface GypArguments {
  gypArguments(options: {
    nodeGyp: string;
    root: string;
    files: string[];
    format: string;
    variables: Record<string, string>;
  }): string[];
}

export interface Workplace {
  /** The folder of the installed package. */
  readonly root: string;
  /** An empty folder, in which everything is made. */
  readonly folder: string;
  readonly verbose: boolean;
}

/** npm as it runs us, else the one on the path; no other package manager has these options. */
function npmCommand(): [string, ...string[]] {
  const running = process.env['npm_execpath'];
  if (running !== undefined && /\bnpm-cli\.[cm]?js$/.test(running))
    return [process.execPath, running];
  return ['npm'];
}

/** Fetches what gyp and the sources need, from the registry that the user's npm is set up for. */
export async function fetchTools({ root, folder, verbose }: Workplace): Promise<void> {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  const { devDependencies } = JSON.parse(text) as { devDependencies: Record<string, string> };
  const wanted = TOOLS.map((name) => `${name}@${devDependencies[name] ?? 'latest'}`);
  const [program, ...args] = npmCommand();
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
  // --prefix and not the working directory alone: npm would look for a project above it.
  await run(program, [...args, 'install', '--prefix', folder, ...quiet, ...wanted], {
    cwd: folder,
    verbose,
  });
}

/** Gives the path of what was made. */
export async function compile(
  workplace: Workplace,
  { compiler, make, python }: Toolchain,
): Promise<string> {
  const { root, folder, verbose } = workplace;
  for (const part of SOURCES) cpSync(join(root, part), join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'binding.gyp'), BINDING_GYP);
  const modules = join(folder, 'node_modules');
  const description = pathToFileURL(join(folder, 'deps/gyp-arguments.mjs')).href;
  const { gypArguments } = (await import(description)) as GypArguments;
  const env = {
    ...process.env,
    // The .gyp files call `node`, which need not be this one, or on the path.
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    // Warnings are for those who write the code; a newer compiler may have more of them.
    CXXFLAGS: `${process.env['CXXFLAGS'] ?? ''} -Wno-error`,
    LDFLAGS: `${process.env['LDFLAGS'] ?? ''} -s`,
    CXX: compiler,
    LINK: compiler,
  };
  const [program, ...args] = wordsOf(python);
  const generate = gypArguments({
    nodeGyp: join(modules, 'node-gyp'),
    root: folder,
    files: ['binding.gyp'],
    format: 'make',
    variables: {
      OS: process.platform,
      target_arch: process.arch,
      node_api_include: join(modules, 'node-api-headers/include'),
    },
  });
  await run(program, [...args, ...generate], { cwd: folder, env, verbose });
  const parallel = `-j${availableParallelism()}`;
  await run(make, [parallel, 'BUILDTYPE=Release', 'iocp_net'], { cwd: folder, env, verbose });
  return join(folder, 'out/Release/iocp_net.node');
}

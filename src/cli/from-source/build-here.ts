/** The steps of `iocp-net build`. Each is said before it begins, since some take minutes. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compile, fetchTools } from './compile';
import { run } from './run';
import { findToolchain } from './toolchain';

const root = join(__dirname, '..', '..', '..');
/** Where the loader looks first. */
const LOCAL_BUILD = 'build/Release/iocp_net.node';

const say = (text: string): void => {
  process.stderr.write(`iocp-net build: ${text}\n`);
};

function checkPlatform(): void {
  const { platform, arch } = process;
  if (platform === 'win32') {
    throw new Error(
      `the package has binaries for Windows on x64 and ARM64, and builds none there (this is ${arch})`,
    );
  }
  if (platform !== 'linux') {
    throw new Error(`the core has no backend for ${platform}: node:net serves there`);
  }
  if (!existsSync(join(root, 'src/binding/addon.gypi'))) {
    throw new Error(`the sources are not in ${root}: install the whole package`);
  }
}

/** In a process of its own: a binary that does not suit this machine may end it. */
async function evaluate(script: string, words: readonly string[]): Promise<string> {
  const env = { ...process.env };
  // What they ask for is not what a process finds without them.
  delete env['IOCP_NET_BACKEND'];
  delete env['IOCP_NET_PREBUILD'];
  return (await run(process.execPath, ['-e', script, ...words], { env })).trim();
}

/** Before it takes the place of one that may be better. */
async function tryBinary(file: string): Promise<void> {
  await evaluate(
    `const binding = require(process.argv[1]);
     const refused = binding.backends().map((name) => [name, binding.probe(name)]);
     if (!refused.some(([, error]) => error === null)) throw new Error(String(refused));`,
    [file],
  );
}

/** Renamed when complete, so that no process loads the half of it. */
function place(file: string): string {
  const target = join(root, LOCAL_BUILD);
  const partial = `${target}.${process.pid}`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, partial);
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`the binary was made, but ${target} cannot be written (${code ?? 'unknown'})`, {
      cause: error,
    });
  }
  return target;
}

async function proveInUse(): Promise<string> {
  const engine = join(root, 'dist/entry/engine.cjs');
  const backend = await evaluate('console.log(require(process.argv[1]).engine.backend)', [engine]);
  if (backend === 'node') throw new Error('the binary is in place, but node:net still serves');
  return backend;
}

/**
 * Leaves the binary in the package, and nothing else.
 *
 * @throws {Error} that says what is missing, or which step failed and what it printed
 */
export async function buildHere({ verbose }: { readonly verbose: boolean }): Promise<void> {
  checkPlatform();
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-build-'));
  try {
    const toolchain = await findToolchain(folder);
    const workplace = { root, folder, verbose };
    say('fetching node-gyp, node-addon-api and node-api-headers by npm (some seconds)');
    await fetchTools(workplace);
    say(`compiling with ${toolchain.compiler} (one minute on two fast cores, five on slow ones)`);
    const made = await compile(workplace, toolchain);
    say('trying the result');
    await tryBinary(made);
    const target = place(made);
    say(`${target} is in use: backend ${await proveInUse()}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Where a bundle has the addon when its bundler has not followed our requires: as an asset of a
 * single-executable application, or in a folder `prebuilds` beside the bundle or the executable.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withAddonFile } from './addon-file';
import type { Binding } from './binding';
import { libc } from './libc';
import { openAddon } from './open-addon';
import { checkPath } from './trusted-path';

/** The key among the assets of a single-executable application. */
const ASSET = 'iocp-net.node';

/** From the folder of the package, or of the bundle. */
function prebuildPath(): string {
  const { platform, arch } = process;
  const tag = platform === 'linux' ? `.${libc()}` : '';
  return join('prebuilds', `${platform}-${arch}`, `iocp-net${tag}.node`);
}

// Not in every Node 20.
const sea = process.getBuiltinModule('node:sea') as typeof import('node:sea') | undefined;

/** Its `require` knows Node's own modules alone. */
export const isSingleExecutable = (): boolean => sea?.isSea() ?? false;

function asset(): ArrayBuffer | undefined {
  try {
    return sea?.getRawAsset(ASSET);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_SINGLE_EXECUTABLE_APPLICATION_ASSET_NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * @param folder of the bundle, where that is known
 * @param reason why nothing was found within the bundle
 */
export function loadBeside(folder: string | undefined, reason: string): Binding {
  const path = prebuildPath();
  const ofProgram = dirname(process.execPath);
  for (const each of folder === undefined ? [ofProgram] : [folder, ofProgram]) {
    if (!existsSync(join(each, path))) continue;
    checkPath(each, path);
    return openAddon(join(each, path));
  }
  const [why] = reason.split('\n');
  throw new Error(
    `it is not in the bundle (${why}), nor is there ${path} in ${folder ?? ofProgram}: ` +
      "copy the folder prebuilds of the package there, or see the package's docs/bundlers.md",
  );
}

export function loadForExecutable(): Binding {
  const bytes = asset();
  if (bytes !== undefined) return withAddonFile(new Uint8Array(bytes), openAddon);
  return loadBeside(undefined, `there is no asset ${ASSET}`);
}

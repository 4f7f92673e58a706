// A Wine session in which every program loads the addon, built here for Windows.
import { join } from 'node:path';
import { crossBuildAddon, windowsBuild } from './cross-build.mjs';
import { root } from './gyp.mjs';
import { openWindows } from './windows-run.mjs';

/** Where Wine shows a file of this machine. */
export const windowsPath = (path) => `Z:${path.replaceAll('/', '\\')}`;

/**
 * @param {string[]} [shown]  as for `openWindows`
 * @returns {Promise<{ run: Function, close: () => Promise<void> }>}
 */
export async function openLoadedWindows(shown) {
  crossBuildAddon();
  const windows = await openWindows(shown);
  const own = { IOCP_NET_PREBUILD: windowsPath(join(root, windowsBuild)) };
  const run = (program) => windows.run({ ...program, env: { ...own, ...program.env } });
  return { run, close: () => windows.close() };
}

// A Wine session with the addon built for Windows, as the Windows suite uses it.
import { join } from 'node:path';
import { crossBuildAddon, windowsBuild } from '../../scripts/cross-build.mjs';
import { root } from '../../scripts/gyp.mjs';
import { openWindows } from '../../scripts/windows-run.mjs';

const windowsPath = (path) => `Z:${path.replaceAll('/', '\\')}`;

/** @returns {Promise<{ run: Function, close: () => Promise<void> }>} */
export async function openLoadedWindows() {
  crossBuildAddon();
  const windows = await openWindows();
  const own = { IOCP_NET_PREBUILD: windowsPath(join(root, windowsBuild)) };
  const run = (program) => windows.run({ ...program, env: { ...own, ...program.env } });
  return { run, close: () => windows.close() };
}

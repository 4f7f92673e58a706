// What the package has binaries for, and what each may ask of the system it is loaded by.

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {'linux' | 'win32'} platform
 * @property {'x64' | 'arm64'} arch
 * @property {'glibc' | 'musl'} [libc]
 * @property {string} [triple]  zig's name of it. Without one Debian's mingw makes it, as what all
 *   tests of Windows run with is made
 * @property {string} file  below prebuilds/, where node-gyp-build looks
 * @property {RegExp} libraries  that it may load: those of the system
 */

/** The oldest glibc that Node's own binaries run with. */
export const glibc = '2.28';

const cpu = { x64: 'x86_64', arm64: 'aarch64' };

const glibcLibraries =
  /^(lib(c\.so\.6|m\.so\.6|pthread\.so\.0|dl\.so\.2|rt\.so\.1)|ld-linux-(x86-64\.so\.2|aarch64\.so\.1))$/;
// Windows has an old C library, and since version 10 the new one, in parts.
const windowsLibraries = /^((kernel32|ws2_32|advapi32|ntdll|msvcrt)|api-ms-win-crt-[\w-]+)\.dll$/i;

const linux = (arch, libc) => ({
  name: `linux-${arch}-${libc}`,
  platform: 'linux',
  arch,
  libc,
  triple: `${cpu[arch]}-linux-${libc === 'musl' ? 'musl' : `gnu.${glibc}`}`,
  file: `linux-${arch}/iocp-net.${libc}.node`,
  libraries: libc === 'musl' ? /^libc\.so$/ : glibcLibraries,
});

const windows = (arch, triple) => ({
  name: `win32-${arch}`,
  platform: 'win32',
  arch,
  ...(triple && { triple }),
  file: `win32-${arch}/iocp-net.node`,
  libraries: windowsLibraries,
});

/** @type {Target[]} */
export const targets = [
  linux('x64', 'glibc'),
  linux('x64', 'musl'),
  linux('arm64', 'glibc'),
  linux('arm64', 'musl'),
  windows('x64'),
  windows('arm64', 'aarch64-windows-gnu'),
];

/** Those that a list of names, with commas, asks for. */
export function targetsNamed(text) {
  return text.split(',').map((name) => {
    const found = targets.find((target) => target.name === name);
    const known = targets.map((target) => target.name).join(', ');
    if (!found) throw new Error(`prebuild: there is no target ${name}, only ${known}`);
    return found;
  });
}

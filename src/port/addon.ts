/**
 * Where the native addon is found. In the order in which they are asked:
 *
 * 1. the folder that `IOCP_NET_PREBUILD` names, as for `node-gyp-build`;
 * 2. in the package, a build that was made there;
 * 3. the prebuilt binary of this platform;
 * 4. in the package, whatever else `node-gyp-build` finds; in a bundle, what `bundled-addon.ts` does.
 *
 * The third is a literal require within `try`: bundlers take along what it names, and do without
 * what is not there. It names it by `imports` of our package.json. Where a bundler has left such a
 * name as it was, it means nothing outside of the package, while a relative path would lead out of
 * the bundle's folder, to where others may be able to write.
 */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Binding } from './binding';
import { libc } from './libc';
import { openAddon } from './open-addon';

let loaded: Binding | undefined;

/** What a place has: nothing, with the reason, where another may have it. */
type Found = Binding | Error;

/** The addon itself, or where a bundler has put it. */
function opened(exported: unknown): Found {
  if (typeof exported === 'string') {
    const folder = ownFolder();
    const file = pathOf(exported);
    return folder === undefined ? new Error(`where is ${file}?`) : openAddon(resolve(folder, file));
  }
  if (typeof (exported as Partial<Binding> | null)?.PortGroup === 'function') {
    return exported as Binding;
  }
  return new Error('the bundler has put nothing in its place');
}

/** A binary that is there and cannot be loaded is an error: another one would hide it. */
function missed(error: unknown): Error {
  const reason = error as Error & { code?: string };
  if (reason.code?.startsWith('ERR_DLOPEN')) throw reason;
  return reason;
}

/* eslint-disable @typescript-eslint/no-require-imports -- bundlers follow these */

function prebuilt(): Found {
  try {
    if (process.platform === 'linux' && process.arch === 'x64') {
      return libc() === 'musl'
        ? opened(require('#prebuilds/linux-x64/iocp-net.musl.node'))
        : opened(require('#prebuilds/linux-x64/iocp-net.glibc.node'));
    }
    if (process.platform === 'linux' && process.arch === 'arm64') {
      return libc() === 'musl'
        ? opened(require('#prebuilds/linux-arm64/iocp-net.musl.node'))
        : opened(require('#prebuilds/linux-arm64/iocp-net.glibc.node'));
    }
    if (process.platform === 'win32' && process.arch === 'x64') {
      return opened(require('#prebuilds/win32-x64/iocp-net.node'));
    }
    if (process.platform === 'win32' && process.arch === 'arm64') {
      return opened(require('#prebuilds/win32-arm64/iocp-net.node'));
    }
  } catch (error) {
    return missed(error);
  }
  return new Error(`there is none for ${process.platform}-${process.arch}`);
}

function ofFolder(folder: string): Binding {
  const gypBuild = require('node-gyp-build') as { resolve(folder: string): string };
  return openAddon(resolve(gypBuild.resolve(folder)));
}

function ofPackage(root: string): Binding {
  if (existsSync(join(root, 'build'))) return ofFolder(root);
  const found = prebuilt();
  return found instanceof Error ? ofFolder(root) : found;
}

function ofBundle(folder: string | undefined): Binding {
  const bundled = require('./bundled-addon') as typeof import('./bundled-addon');
  if (bundled.isSingleExecutable()) return bundled.loadForExecutable();
  const found = prebuilt();
  return found instanceof Error ? bundled.loadBeside(folder, found.message) : found;
}

/* eslint-enable @typescript-eslint/no-require-imports */

const pathOf = (name: string): string => (name.startsWith('file:') ? fileURLToPath(name) : name);

/** The file that this code is in, as the stack names it; '' where that is not to be had. */
function fileOnStack(): string {
  let file = '';
  try {
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (_, [here]) => (file = here?.getFileName() ?? '');
    try {
      void new Error().stack;
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
  } catch {
    // Error is frozen.
  }
  return file;
}

/**
 * The folder of that file. `__filename` is asked second: ES modules have none, and some bundlers put
 * a path of their own in its place. But a process may keep no stacks.
 */
function ownFolder(): string | undefined {
  const path = pathOf(fileOnStack() || (typeof __filename === 'string' ? __filename : ''));
  return isAbsolute(path) ? dirname(path) : undefined; // evaluated text has made-up names
}

/** The root of the package; undefined in a bundle. */
function packageRoot(folder = ownFolder()): string | undefined {
  // Beside the chunk that we are in there is this file only in the package.
  const isPackage = folder !== undefined && existsSync(join(folder, 'port/addon.js'));
  return isPackage ? dirname(folder) : undefined;
}

function findAddon(): Binding {
  const given = process.env['IOCP_NET_PREBUILD'];
  if (given) return ofFolder(given);
  const folder = ownFolder();
  const root = packageRoot(folder);
  return root !== undefined ? ofPackage(root) : ofBundle(folder);
}

/** What is in the package's folder is not for us then. */
export const isBundled = (): boolean => packageRoot() === undefined;

/** The addon, loaded at the first call. Throws where there is none, or where it cannot be loaded. */
export function loadAddon(): Binding {
  return (loaded ??= findAddon());
}

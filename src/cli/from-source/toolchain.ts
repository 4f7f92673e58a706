/** What compiles here: found, and tried, before anything is fetched. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramError, run } from './run';

export interface Toolchain {
  /** A command line for a shell: the variable may hold options, as everywhere. */
  readonly compiler: string;
  readonly make: string;
  readonly python: string;
}

/** Of the newest kernel whose calls the core makes where it finds them: Linux 6.1. */
const KERNEL_HEADER_WORDS = 'IORING_SETUP_DEFER_TASKRUN + IORING_RECV_MULTISHOT';

interface Attempt {
  readonly source: string;
  /** What it means where the compiler refuses that. */
  readonly refusal: string;
}

const ATTEMPTS: readonly Attempt[] = [
  {
    source: `#include <atomic>
int value;
int main() { return static_cast<int>(std::atomic_ref(value).load()); }
`,
    refusal:
      'compiles no C++20 with std::atomic_ref: GCC 11 or newer does, or clang with the library ' +
      'of such a GCC or with libc++ 19 (set CXX to choose another)',
  },
  {
    source: `#include <linux/io_uring.h>
int main() { return ${KERNEL_HEADER_WORDS}; }
`,
    refusal:
      'finds no headers of Linux 6.1 or newer (linux/io_uring.h; on Debian linux-libc-dev, on ' +
      'Alpine linux-headers, on Fedora and its kin kernel-headers)',
  },
];

async function answers(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch (error) {
    if (error instanceof ProgramError) return false;
    throw error;
  }
}

/** The words of a command line that has no quotes. */
export const wordsOf = (commandLine: string): [string, ...string[]] => {
  const [program = '', ...args] = commandLine.trim().split(/\s+/);
  return [program, ...args];
};

async function tryCompiler(compiler: string, folder: string): Promise<string[]> {
  const [program, ...args] = wordsOf(compiler);
  if (!(await answers(program, [...args, '--version']))) {
    return [`a C++ compiler (${compiler} does not run; set CXX to choose another)`];
  }
  const refusals: string[] = [];
  for (const [index, { source, refusal }] of ATTEMPTS.entries()) {
    const file = join(folder, `attempt-${index}.cc`);
    writeFileSync(file, source);
    const compiles = await answers(program, [...args, '-std=c++20', '-fsyntax-only', file]);
    if (!compiles) refusals.push(`another C++ compiler, or its headers: ${compiler} ${refusal}`);
  }
  return refusals;
}

/**
 * @param folder for what is compiled as an attempt
 * @throws {Error} which lists all that is missing
 */
export async function findToolchain(folder: string): Promise<Toolchain> {
  const { CXX: compiler = 'c++', MAKE: make = 'make', PYTHON: python = 'python3' } = process.env;
  const missing = await tryCompiler(compiler, folder);
  if (!(await answers(make, ['--version']))) missing.push('make');
  // gyp, which says what is compiled and how, is written in it.
  const newEnough = 'import sys; sys.exit(sys.version_info < (3, 8))';
  if (!(await answers(python, ['-c', newEnough]))) {
    missing.push(`Python 3.8 or newer (${python}; set PYTHON to choose another)`);
  }
  if (missing.length === 0) return { compiler, make, python };
  throw new Error(
    ['what is missing for a build:', ...missing.map((each) => `  - ${each}`), PACKAGES].join('\n'),
  );
}

const PACKAGES = `Where they come from:
  Debian, Ubuntu    apt-get install g++ make python3
  Alpine            apk add g++ make python3 linux-headers
  Fedora, RHEL      dnf install gcc-c++ make python3`;

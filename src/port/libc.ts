/** Which C library the running Node stands on, for the choice among the binaries for Linux. */
import { closeSync, openSync, readSync } from 'node:fs';

export type Libc = 'glibc' | 'musl';

/** The name of the dynamic linker lies at the start of an executable, within its first page. */
const FIRST_PAGE = 4096;

/** Null where the executable cannot be read, or names its linker elsewhere. */
function ofExecutable(): Libc | null {
  const start = Buffer.alloc(FIRST_PAGE);
  try {
    const file = openSync(process.execPath, 'r');
    try {
      readSync(file, start, 0, FIRST_PAGE, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
  const linker = /\/ld-(linux|musl)-/.exec(start.toString('latin1'))?.[1];
  if (linker === undefined) return null;
  return linker === 'musl' ? 'musl' : 'glibc';
}

/** Takes fifty times as long as to read the executable, hence second. */
function ofReport(): Libc {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true; // or it would ask for the names of all peers
  try {
    const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** On Linux. `LIBC` decides, as it does for `node-gyp-build`. */
export function libc(): Libc {
  const given = process.env['LIBC'];
  if (given) return given === 'musl' ? 'musl' : 'glibc';
  return ofExecutable() ?? ofReport();
}

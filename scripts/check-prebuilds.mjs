// Whether each binary of the package suits every system that it is meant for: what it is, what it
// loads, what it asks of the C library, and what makes errors in it harder to use; by what is in the
// file. And for what has to load it elsewhere, see prebuild-hosts.mjs.
//
//   node scripts/check-prebuilds.mjs [--only linux-x64-glibc,win32-x64] [DIR]
//
// DIR has the folder prebuilds; by default it is the checkout. Ends with "N passed, N failed".
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { parseArgs } from 'node:util';
import { readElf } from './binary-elf.mjs';
import { readPe } from './binary-pe.mjs';
import { checkHardening } from './check-hardening.mjs';
import { root } from './gyp.mjs';
import { glibc, targets, targetsNamed } from './prebuild-targets.mjs';

const numbersOf = (version) => version.split('.').map(Number);

/** Whether a version of glibc is later than another: 2.28 than 2.9. */
function isLater(version, than) {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  const at = a.findIndex((number, index) => number !== (b[index] ?? 0));
  return at >= 0 && a[at] > (b[at] ?? 0);
}

/** Versions of symbols that the system need not have; of musl's there are none. */
function tooLate({ libc }, versions) {
  return versions.filter((name) => {
    const [, version] = /^GLIBC_([\d.]+)$/.exec(name) ?? [];
    return libc !== 'glibc' || version === undefined || isLater(version, glibc);
  });
}

/** What is wrong with it, in words. */
function faultsOf(target, bytes) {
  const binary = target.platform === 'linux' ? readElf(bytes) : readPe(bytes);
  if (!binary) return ['it is of another format'];
  const strange = binary.libraries.filter((name) => !target.libraries.test(name));
  const late = tooLate(target, [...new Set(binary.versions ?? [])]);
  return [
    binary.machine !== target.arch && `it is for ${binary.machine}`,
    !binary.stripped && 'it is not stripped',
    strange.length > 0 && `it needs ${strange.join(', ')}`,
    late.length > 0 && `it asks for ${late.join(', ')}`,
  ].filter(Boolean);
}

/**
 * @param {string} folder  with the folder prebuilds
 * @param {import('./prebuild-targets.mjs').Target[]} chosen
 * @returns {{ passed: number, failed: number }}
 */
export function checkPrebuilds(folder, chosen) {
  const count = { passed: 0, failed: 0 };
  for (const target of chosen) {
    const file = join(folder, 'prebuilds', target.file);
    const faults = faultsOf(target, readFileSync(file));
    console.log(`${faults.length ? 'not ok' : 'ok'} - ${target.file} is for ${target.name}`);
    for (const fault of faults) console.log(`  ${fault}`);
    for (const good of [faults.length === 0, checkHardening([file])]) {
      count[good ? 'passed' : 'failed'] += 1;
    }
  }
  return count;
}

if (argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' } },
  });
  const chosen = values.only === undefined ? targets : targetsNamed(values.only);
  const { passed, failed } = checkPrebuilds(resolve(positionals[0] ?? root), chosen);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

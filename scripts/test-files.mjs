// The compiled test files.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './gyp.mjs';

/** Their paths, of those whose path below `build/test` is wanted, in order. */
export function testFiles(isWanted) {
  const folder = join(root, 'build/test');
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  return all
    .filter((file) => /\.test\.[cm]?js$/.test(file) && isWanted(file))
    .map((file) => join(folder, file))
    .sort();
}

/**
 * Of those paths: programs that are started by the dozen to see what JavaScript makes of this or
 * that. Each takes seconds where the machine is slow, and all run the same native code.
 */
export function startsPrograms(file) {
  return (
    startsHundreds(file) ||
    /^(?:cluster\/|(?:register|net)\/(?:register|ends|flags|foreign-names|crash-report|permission|process|last-words|send-at-once)\.test)/.test(
      file,
    )
  );
}

/** Of those: so many that under Wine it takes minutes; there they are run when they are named. */
export function startsHundreds(file) {
  return /^net\/lifecycle/.test(file);
}

/** Of those: how much memory a process holds, of which a sanitizer holds back what was freed. */
export function measuresMemory(file) {
  return /^load\/(?:hostile|worker-memory)\.test/.test(file);
}

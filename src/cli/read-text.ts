/** Small files of the system, such as those of /proc. */
import { readFileSync } from 'node:fs';

/** The text without the end of its last line; null where there is no such file, or none for us. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return null;
  }
}

/** A number that is all there is in the file. */
export function readNumber(path: string): number | null {
  const text = readText(path);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}

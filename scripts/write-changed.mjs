// Files of a build are left alone where they would be the same: tests that run beside a build read
// them, and a file is empty for a moment while it is written.
import { readFileSync, writeFileSync } from 'node:fs';

const bytesOf = (file) => {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
};

/**
 * @param {string} file
 * @param {string | Buffer} content
 */
export function writeChanged(file, content) {
  if (bytesOf(file)?.equals(Buffer.from(content))) return;
  writeFileSync(file, content);
}

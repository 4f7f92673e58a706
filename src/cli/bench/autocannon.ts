/** The load generator that many people have. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Its module where the user has it: in the project, or beside this package. */
export function findAutocannon(): string | undefined {
  for (const from of [join(process.cwd(), 'package.json'), __filename]) {
    try {
      return createRequire(from).resolve('autocannon');
    } catch {
      // Not there.
    }
  }
  return undefined;
}

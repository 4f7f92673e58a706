/**
 * Loaded before each test, after what tap loads: the programs that a test starts begin as plain Node
 * programs do. Tap would have its hooks loaded into each of them, too. They note what is covered,
 * which nobody asks for here, and more than double the time that a program takes to start.
 */
import { createRequire } from 'node:module';

interface ProcessOnSpawn {
  removeAllListeners(): void;
}

const isTaps = (argument: string): boolean =>
  argument.includes('@tapjs/') || argument === '--enable-source-maps';

// A path from here leads nowhere in a program whose folder is another.
const isOurs = (argument: string): boolean => argument.includes('build/test/support/');

process.execArgv = process.execArgv.filter((argument) => !isTaps(argument) && !isOurs(argument));

const options = (process.env['NODE_OPTIONS'] ?? '').split(' ');
const others = options.filter((option) => option !== '' && !isTaps(option));
if (others.length > 0) process.env['NODE_OPTIONS'] = others.join(' ');
else delete process.env['NODE_OPTIONS'];

// Tap puts its option back into the environment of whatever is started.
(createRequire(__filename)('process-on-spawn') as ProcessOnSpawn).removeAllListeners();

// `.taprc` sets it, so that tap loads no compiler for tests that are compiled. From here on tap would
// make it an option of all programs, which in Node 22 and 23 silences warnings.
process.env['TAP_TYPE_STRIP_ONLY'] = '0';

/** `iocp-net build`: makes the binary on this machine, where none of the package's fits it. */
import type { Command } from './command';
import { nothingAfterDashes } from './values';

export const command: Command = {
  summary: 'makes the native binary on this machine, where none of the package fits',
  usage: `Usage: iocp-net build [--verbose]

  --verbose   also show what npm and the compiler print

Needs Linux, a C++20 compiler (CXX, or c++), make, and Python 3 (PYTHON, or python3). Fetches
node-gyp, node-addon-api and node-api-headers by npm into a temporary folder, compiles for one to
five minutes, tries the result and puts it into the installed package, where each new process finds
it; a new installation of the package removes it. Exit code 0 if connections then run on the core,
else 1.`,
  options: { verbose: { type: 'boolean' } },
  allowPositionals: false,
  async run(values, _positionals, afterDashes) {
    nothingAfterDashes(afterDashes);
    const { buildHere } = await import('./from-source/build-here.js');
    await buildHere({ verbose: values['verbose'] === true });
    return 0;
  },
};

// How gyp is called for our targets, without Node's own headers: by `iocp-net build` in the package,
// and by the scripts of the checkout.
import { join } from 'node:path';

/**
 * @param {object} options
 * @param {string} options.nodeGyp  the folder of node-gyp, which brings gyp
 * @param {string} options.root     the folder of binding.gyp
 * @param {string[]} options.files  .gyp files
 * @param {string} options.format   of gyp's generators
 * @param {Record<string, string>} options.variables
 * @param {string[]} [options.options]  more of gyp's own
 * @returns {string[]} what follows `python3`
 */
export function gypArguments({ nodeGyp, root, files, format, variables, options = [] }) {
  return [
    join(nodeGyp, 'gyp/gyp_main.py'),
    ...files,
    ...['-f', format, '--depth=.', '--no-parallel'],
    ...options,
    ...['-I', join(root, 'deps/standalone.gypi')],
    ...Object.entries(variables).map(([name, value]) => `-D${name}=${value}`),
  ];
}

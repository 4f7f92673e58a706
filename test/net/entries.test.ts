/** What the entries of the package are to those who import, require or bundle them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

interface Ways {
  import: { module: string; default: string };
  require: { default: string };
}

const load = createRequire(__filename);
const packageFile = load.resolve('iocp-net/package.json');
const root = join(packageFile, '..');
const { exports: declared } = JSON.parse(readFileSync(packageFile, 'utf8')) as {
  exports: Record<string, Ways | string>;
};

const importFile = async (file: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(join(root, file)).href)) as Record<string, unknown>;

for (const [name, ways] of Object.entries(declared)) {
  // Loading the last one changes the process.
  if (typeof ways === 'string' || name === './register') continue;
  t.test(name, async (test) => {
    const required = load(join(root, ways.require.default)) as Record<string, unknown>;
    const imported = await importFile(ways.import.default);
    test.notOk('__esModule' in required, 'compiled imports of its default find no mark');
    test.notOk('__esModule' in imported);
    test.equal(imported['default'], required);

    const forBundlers = await importFile(ways.import.module);
    test.strictSame(Object.keys(forBundlers), Object.keys(imported));
    for (const [key, value] of Object.entries(imported)) {
      test.equal(forBundlers[key], value, key);
    }
  });
}

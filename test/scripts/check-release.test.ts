/** scripts/check-release.mjs: what keeps a release from being made. */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

type Obstacles = (tag: string | undefined, manifest: object, changelog: string) => string[];

const root = dirname(require.resolve('iocp-net/package.json'));
const file = pathToFileURL(join(root, 'scripts/check-release.mjs')).href;
const script = import(file) as Promise<{ obstacles: Obstacles }>;

const manifest = { version: '1.2.3', author: 'a', bugs: 'b', homepage: 'c', repository: 'd' };
const changelog = '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2030-01-31\n\n- A change.\n';

t.test('nothing is in the way', async (test) => {
  const { obstacles } = await script;
  test.strictSame(obstacles('v1.2.3', manifest, changelog), []);
});

t.test('each mistake is named', async (test) => {
  const { obstacles } = await script;
  test.match(obstacles('v1.2.4', manifest, changelog), [/the tag is v1.2.4/]);
  test.match(obstacles(undefined, manifest, changelog), [/the tag is missing/]);
  test.match(obstacles('v1.2.3', manifest, '## [1.2.2] - 2030-01-01\n'), [/no section/]);
  test.match(obstacles('v1.2.3', manifest, '## [1.2.3]\n\nNot yet.\n'), [/no date/]);
  const unknown = { ...manifest, repository: undefined };
  test.match(obstacles('v1.2.3', unknown, changelog), [/no repository/]);
});

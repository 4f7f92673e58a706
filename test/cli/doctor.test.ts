/** `iocp-net doctor`: what it finds, and that its exit code says whether the core serves. */
import t from 'tap';
import { tmpdir } from 'node:os';
import { runCommand } from '../support/command-line';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(120_000);

const windows = process.platform === 'win32';
const ours = windows ? 'iocp' : 'epoll';

async function examine(env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await runCommand(['doctor', '--json'], env);
  return { code, stderr, found: JSON.parse(stdout) };
}

t.test('where connections run on the core', async (test) => {
  const { code, found, stderr } = await examine();
  test.equal(code, 0, stderr);
  test.equal(found.ok, true);
  test.equal(found.backend.serving, ours);
  test.match(found.binary, { path: /\.node$/, error: null });
  test.match(found.proof, { echoed: true, onCore: true, bytes: 100_000, error: null });
  test.equal(found.helper.possible, true);
  test.match(found.runtime, { name: 'node', version: process.versions.node });
  const names = found.backend.candidates.map(({ name }: { name: string }) => name);
  test.strictSame(names.sort(), ['epoll', 'io_uring', 'iocp']);
  test.type(found.system.cores, 'number');
  if (windows) return;
  test.type(found.limits.openFilesHard, 'number');
  test.type(found.limits.listenBacklog, 'number');
  test.ok(found.limits.ephemeralPortFirst < found.limits.ephemeralPortLast);
});

t.test('the same for people', async (test) => {
  const { code, stdout } = await runCommand(['doctor']);
  test.equal(code, 0);
  test.match(stdout, new RegExp(`^backend +${ours}: the core serves$`, 'm'));
  test.match(stdout, /^Connections run on the core\.$/m);
});

const failures: readonly (readonly [name: string, env: NodeJS.ProcessEnv, reason: RegExp])[] = [
  ['turned off', { IOCP_NET_BACKEND: 'node' }, /IOCP_NET_BACKEND=node asks/],
  ['another system', { IOCP_NET_BACKEND: windows ? 'epoll' : 'iocp' }, /does not exist on/],
  ['a name nobody knows', { IOCP_NET_BACKEND: 'kqueue' }, /must be 'iocp', 'epoll'/],
  ['no binary', { IOCP_NET_PREBUILD: tmpdir(), PREBUILDS_ONLY: '1' }, /No native build was found/],
];

for (const [name, env, reason] of failures) {
  t.test(`where they do not, it says why, exit code 1: ${name}`, async (test) => {
    const { code, found, stderr } = await examine(env);
    test.equal(code, 1);
    test.equal(stderr, '', 'all is in the report');
    test.equal(found.ok, false);
    test.equal(found.proof.onCore, false);
    test.match(found.backend.reason, reason);
    test.notMatch(found.backend.reason, /\n/);
    test.ok(found.advice.length > 0);
  });
}

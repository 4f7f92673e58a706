// All programs, or those asked for. Run by scripts/test-programs.mjs, which says how.
import { parseArgs } from 'node:util';
import { nodeBinary } from '../../scripts/node-versions.mjs';
import { openLoadedWindows } from '../../scripts/windows-session.mjs';
import { total } from './report.mjs';
import { runClients } from './run-clients.mjs';
import { runServers } from './run-servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wine: { type: 'boolean', default: false },
    node: { type: 'string' },
    complete: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    // Without the hook: what fails then, too, is not our doing.
    control: { type: 'boolean', default: false },
  },
});

const windows = values.wine ? await openLoadedWindows() : undefined;
const onWindows = () => ({ node: values.node ?? '24', platform: `node.exe ${values.node ?? 24}` });
const onLinux = () => ({
  node: values.node === undefined ? process.execPath : nodeBinary('linux', values.node),
  platform: 'Linux',
});
const how = {
  ...(windows ? onWindows() : onLinux()),
  windows,
  control: values.control,
  full: values.full,
  isNamed: positionals.length > 0,
  isNodeNamed: values.node !== undefined,
  isWanted: (name) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
};

console.log('TAP version 14');
try {
  // Side by side: the drivers wait for servers that restart.
  await Promise.all([runServers(how), windows ? undefined : runClients(how)]);
} finally {
  await windows?.close();
}
if (values.complete) total.failed += total.missing;
console.log(`1..${total.lines}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

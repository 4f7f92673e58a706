/** `iocp-net doctor`: whether connections run on the core here, and what stands in the way. */
import type { Command } from './command';
import { nothingAfterDashes } from './values';

export const command: Command = {
  summary: 'whether connections run on the core here, why or why not, and what would help',
  usage: `Usage: iocp-net doctor [--json]

  --json   one JSON object, with the names in docs/command-line.md

Makes a connection over loopback as its proof. Exit code 0 if that ran on the core, else 1.`,
  options: { json: { type: 'boolean' } },
  allowPositionals: false,
  async run(values, _positionals, afterDashes) {
    nothingAfterDashes(afterDashes);
    const { examine, reportLines } = await import('./doctor/examine.js');
    const found = await examine();
    console.log(values['json'] === true ? JSON.stringify(found) : reportLines(found).join('\n'));
    return found.ok ? 0 : 1;
  },
};

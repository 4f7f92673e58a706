/** `iocp-net top`: what a process does that has opened its endpoint. */
import { statSync } from 'node:fs';
import type { Command } from './command';
import { atMostOne, nothingAfterDashes } from './values';

const isFolder = (path: string): boolean =>
  process.platform !== 'win32' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

export const command: Command = {
  summary: 'what a process does, live: who drives, sockets, rates, queues, drops',
  usage: `Usage: iocp-net top [--json]                       the endpoints that there are
       iocp-net top PID|PATH [--once] [--json]     what one process does

  --once   one look, of half a second, instead of one each second
  --json   one JSON object a look and line (without PID or PATH: one list)

The process opens its endpoint with IOCP_NET_ENDPOINT=1 (or a path), or by
engine.openEndpoint(): docs/engine.md. PATH may be a folder of endpoints.
q and Ctrl-C end it. Exit code 1 where there is no endpoint.`,
  options: { once: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
  async run(values, positionals, afterDashes) {
    nothingAfterDashes(afterDashes);
    const asked = atMostOne(positionals, 'process');
    const asJson = values['json'] === true;
    const { follow, listAll, showOnce } = await import('./top/follow.js');
    if (asked === undefined || isFolder(asked)) return listAll(asJson, asked);
    const { pathOfProcess } = await import('./endpoints.js');
    const path = /^\d+$/.test(asked) ? pathOfProcess(Number(asked)) : asked;
    return values['once'] === true ? showOnce(path, asJson) : follow(path, asJson);
  },
};

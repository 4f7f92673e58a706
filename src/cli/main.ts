#!/usr/bin/env node
/** The command `iocp-net`. */
import { bench } from './bench';

const usage = `npx iocp-net bench   node:net and iocp-net side by side on this machine, within a minute`;

async function main(): Promise<void> {
  if (process.argv[2] !== 'bench') {
    console.log(usage);
    process.exitCode = process.argv.length > 2 && process.argv[2] !== '--help' ? 1 : 0;
    return;
  }
  await bench();
}

main().catch((error: unknown) => {
  console.error(`iocp-net: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

#!/usr/bin/env node
/** The command `iocp-net`. */
import { runCommandLine } from './command-line';

// Who reads no further, as `head`, wants no more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

void runCommandLine(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

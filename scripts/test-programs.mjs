// Programs that people run, with iocp-net/register under them (test/programs).
//
//   node scripts/test-programs.mjs [--wine] [--node 24] [--control] [--full] [--complete] [part of a
//                                  name…]
//
// --wine runs those meant for it, or the servers named, in node.exe (24, or --node); --control runs
// all on Node's own net; --full sends bodies of 4 GiB instead of 256 MiB; with --complete it fails
// where a server or a tool that it needs is not installed. The packages of npm are installed where
// they are missing.
// Ends with "N passed, N failed".
import { build } from './build.mjs';
import { installProgramPackages } from './program-packages.mjs';

build({});
installProgramPackages();
// Its modules need the packages.
await import('../test/programs/run.mjs');

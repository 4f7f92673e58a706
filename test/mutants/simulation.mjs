// Mutations that scenarios of sockets and servers on the simulated system notice (test/sim). See
// scripts/test-mutants.mjs.

import { inFile } from './in-file.mjs';

const FEW = '120';

export const simulation = [
  ...inFile(
    'scenarios',
    'src/port/connection-writer.ts',
    ['queued bytes are not counted down', '      this.queued -= request.bytes;', '', FEW],
    [
      'what the system took at once is not counted',
      `    this.bytesWritten += sent;
    if (sent === chunk.length) return done(null);`,
      `    if (sent === chunk.length) return done(null);`,
      FEW,
    ],
  ),
  ...inFile('scenarios', 'src/port/connection-reader.ts', [
    'bytes of a chunk are counted twice',
    '    this.bytesRead += length;\n    if (this.#bulk',
    '    this.bytesRead += 2 * length;\n    if (this.#bulk',
    FEW,
  ]),
  ...inFile('scenarios', 'src/port/connection.ts', [
    'what is queued does not hold the loop',
    'return this.#sendSide === SendSide.Ending || this.#writer.queued > 0;',
    'return this.#sendSide === SendSide.Ending;',
    FEW,
  ]),
  ...inFile(
    'scenarios',
    'src/net/socket/socket-members.ts',
    [
      'hadError is never true',
      'closeConnection(this, link, Boolean(error));',
      'closeConnection(this, link, false);',
      FEW,
    ],
    ['a destroyed socket stays with its server', '  server._connections--;', '', FEW],
  ),
  ...inFile('scenarios', 'src/net/socket/link.ts', [
    'a socket goes on after a reset',
    `  onReadError(error: ErrorName): void {
`,
    `  onReadError(error: ErrorName): void {
    if (error === 'ECONNRESET') return;
`,
    FEW,
  ]),
  ...inFile('scenarios', 'src/binding/event_loop.cc', [
    'the port keeps the loop alive from the first socket on',
    '  if (!is_closing_) uv_.unref(Holder());',
    '',
    FEW,
  ]),
  ...inFile('scenarios', 'src/binding/native_port_data.cc', [
    'a block is sent from its neighbour',
    'self.send_slab_.start() + Word(info, 1);\n  return',
    'self.send_slab_.start() + Word(info, 1) + 1;\n  return',
    FEW,
  ]),
];

// Mutations of sending files, and the test that notices each. See scripts/test-mutants.mjs.

import { inFile } from './in-file.mjs';

export const sendFile = [
  ...inFile(
    'core',
    'deps/completion-port/src/send_queue.cc',
    [
      'the place in a file stands still',
      `        front.offset += sent;`,
      `        front.offset += 0;`,
      'SendQueueAdvancesInAFile',
    ],
    [
      'what was taken of a file is not counted',
      `      taken_of_first_ += sent;
      return ended;`,
      `      return ended;`,
      'AFileThatIsShorterFailsAndSaysHowMuchWasSent',
    ],
    [
      'what was taken of a request counts for the next',
      `      ++ended;
      taken_of_first_ = 0;`,
      `      ++ended;`,
      'SendQueueAdvancesInAFile',
    ],
  ),
  ...inFile(
    'core',
    'deps/completion-port/src/backend/send_file_linux.cc',
    [
      'a file is sent from its start',
      `auto offset = static_cast<off_t>(piece.offset);`,
      `off_t offset = 0;`,
      'SendsAFileBetweenItsHeadAndTail',
    ],
    [
      'a file waits for its reader within the call',
      `fcntl(socket, F_SETFL, flags_ | O_NONBLOCK) == 0`,
      `fcntl(socket, F_SETFL, flags_) == 0`,
      'AFileThatWaitsForItsReaderHoldsUpNobody',
    ],
    [
      'a socket stays non-blocking after a file',
      `    fcntl(socket_, F_SETFL, flags_);
`,
      ``,
      'ASocketKeepsItsModeAfterAFile',
    ],
    [
      'an interrupted sendfile fails',
      `      if (error != EINTR) break;`,
      `      break;`,
      'SendfileThatFailsForNowIsMadeAgain',
    ],
    [
      'what the system does not send from is not copied',
      `  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EOVERFLOW;`,
      `  return error == ENOSYS;`,
      'CopiesWhatTheSystemDoesNotSendFrom',
    ],
    [
      'of what is copied more is sent than was asked for',
      `std::min<std::size_t>(piece.length, kCopiedBytes);`,
      `kCopiedBytes;`,
      'CopiesWhatTheSystemDoesNotSendFrom',
    ],
  ),
  ...inFile(
    'file',
    'src/binding/sent_files.h',
    [
      'the end of a port leaves its files open',
      `    for (const std::intptr_t file : open_) completion_port::CloseFile(file);`,
      `    open_.clear();`,
      'send-file/errors',
    ],
    [
      'a file that was sent is not closed',
      `    if (open_.erase(file) != 0) completion_port::CloseFile(file);`,
      `    open_.erase(file);`,
      'send-file/errors',
    ],
  ),
  ...inFile(
    'file',
    'src/port/file-send.ts',
    [
      'a handle is closed under the pieces that name it',
      `    if (this.#under > 0) return;
`,
      ``,
      'send-file/errors',
    ],
    [
      'a tail follows each piece',
      `      if (this.#next === end && tail !== null)`,
      `      if (tail !== null)`,
      'send-file/order',
    ],
    [
      'an empty file has no piece',
      `    const isEmpty = start === end;`,
      `    const isEmpty = false;`,
      'send-file/order',
    ],
    [
      'a file ends with its first pieces',
      `    else if (this.#sent < end - start) this.#submitPieces();
`,
      ``,
      'send-file/order',
    ],
  ),
  ...inFile('file', 'src/port/connection-writer.ts', [
    'a place beyond 4 GiB is taken for one before',
    `Math.floor(offset / 2 ** 32)`,
    `0`,
    'send-file/order',
  ]),
  ...inFile(
    'file',
    'src/net/send-file/send-file.ts',
    [
      'a file that was given up is sent in its turn',
      `    return this.#stage === Stage.Settled;`,
      `    return false;`,
      'send-file/errors',
    ],
    [
      'a file that is given up half sent ends in order',
      `    if (hasBegun) this.#reset();`,
      `    if (hasBegun) this.#socket.end();`,
      'send-file/errors',
    ],
    [
      'a file that has become shorter is read for ever',
      `      if (count === 0) throw fileEnded(this.#sent, this.#total);
`,
      ``,
      'send-file/errors',
    ],
  ),
  ...inFile('file', 'src/net/send-file/options.ts', [
    'the last byte is left out',
    `integer('options.end', end, Number.MAX_SAFE_INTEGER - 1) + 1;`,
    `integer('options.end', end, Number.MAX_SAFE_INTEGER - 1);`,
    'send-file/order',
  ]),
  ...inFile(
    'file',
    'src/net/send-file/source.ts',
    [
      'a file that was opened stays open',
      `    if (!isOurs) return;`,
      `    if (isOurs || !isOurs) return;`,
      'send-file/errors',
    ],
    [
      "the caller's descriptor is closed",
      `    if (!isOurs) return;`,
      `    void isOurs;`,
      'send-file/order',
    ],
  ),
  ...inFile('file', 'src/net/send-file/turns.ts', [
    'a file among writes that were corked is left out',
    `      if (chunks.some(({ chunk }) => this.#turnOf(chunk) !== undefined)) {`,
    `      if (chunks.length === 0) {`,
    'send-file/order',
  ]),
];

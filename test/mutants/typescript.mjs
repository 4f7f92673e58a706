// Mutations of the TypeScript, and the test file that notices each. See scripts/test-mutants.mjs.

import { inFile } from './in-file.mjs';

export const typescript = [
  ...inFile(
    'file',
    'src/port/connection-reader.ts',
    [
      'a chunk is not given back',
      `    this.#port.submit(opcodes.release, 0, this.#id, chunk, goesOn ? 1 : 0);
    if (bytes === null) return;`,
      `    if (bytes === null) return;`,
      'net/echo',
    ],
    [
      'a chunk comes back without its credit',
      `    this.#port.submit(opcodes.release, 0, this.#id, chunk, goesOn ? 1 : 0);
    if (bytes === null) return;`,
      `    this.#port.submit(opcodes.release, 0, this.#id, chunk, 0);
    if (bytes === null) return;`,
      'net/echo',
    ],
    [
      'credit that is owed is forgotten while reading is stopped',
      `    if (!goesOn) this.#owedCredit++;
    this.bytesRead += length;
    if (this.#bulk`,
      `    this.bytesRead += length;
    if (this.#bulk`,
      'net/backpressure',
    ],
    [
      'what arrives while reading is stopped is delivered at once',
      `    if (!this.reading || this.#held !== null) (this.#held ??= []).push(what);
    else this.#offer(what);`,
      `    this.#offer(what);`,
      'net/onread',
    ],
    [
      'what was held is delivered from its end',
      `      const what = this.#held.shift() as Received;`,
      `      const what = this.#held.pop() as Received;`,
      'net/backpressure',
    ],
    [
      'bytesRead counts no bulk',
      `  #deliverBulk(bytes: Buffer): void {
    this.bytesRead += bytes.length;`,
      `  #deliverBulk(bytes: Buffer): void {`,
      'net/bulk',
    ],
    [
      'the end of the stream is not told',
      `    this.#bulk = null;
    this.#take(end);`,
      `    this.#bulk = null;`,
      'net/echo',
    ],
  ),
  ...inFile(
    'file',
    'src/port/connection-writer.ts',
    [
      'the rest of a short send is sent from the start',
      `    this.#writePinned(sent === 0 ? chunk : chunk.subarray(sent), done);`,
      `    this.#writePinned(chunk.subarray(0, chunk.length - sent), done);`,
      'engine/direct-sends',
    ],
    [
      'copied writes are acknowledged before pinned ones',
      ' && this.unanswered === 0;',
      ';',
      'engine/direct-sends',
    ],
    [
      'a pinned write is acknowledged early',
      `      at += piece.length;
    } while (at < bytes.length);
    this.#leaveUnanswered(request, done);`,
      `      at += piece.length;
    } while (at < bytes.length);
    done(null);`,
      'net/backpressure',
    ],
    [
      'a block is freed twice',
      `      if (request.block >= 0) this.#port.slab.free(request.block);`,
      `      if (request.block >= 0) this.#port.slab.free(request.block);
      if (request.block >= 0) this.#port.slab.free(request.block);`,
      'engine/direct-sends',
    ],
    [
      'the callback of a write that failed says that it did not',
      `      this.unanswered--;
      this.#port.answer(done, error);
    }
    return wasAnswered`,
      `      this.unanswered--;
      this.#port.answer(done, null);
    }
    return wasAnswered`,
      'net/errors',
    ],
    [
      'callbacks of writes are lost where the connection ends',
      `      request.done = null;
      this.unanswered--;
      this.#port.answer(done, error);
    }
  }`,
      `      request.done = null;
      this.unanswered--;
    }
  }`,
      'net/backpressure',
    ],
  ),
  ...inFile(
    'file',
    'src/port/connection.ts',
    [
      'unref() is missed',
      `  unref(): void {
    this.#refed = false;
    this.#updateHold();`,
      `  unref(): void {
    this.#refed = false;`,
      'net/process',
    ],
    [
      'a resetting close is a polite one',
      `    else this.#close(reset ? this.port.context.layout.closeReset : 0);`,
      `    else this.#close(0);`,
      'net/errors',
    ],
    [
      'the callback of a shutdown is lost',
      `    if (done !== null) this.port.answer(done, error);
  }

  // --- Beginning and end`,
      `    if (done !== null) this.#updateHold();
  }

  // --- Beginning and end`,
      'net/half-open',
    ],
  ),
  ...inFile(
    'file',
    'src/port/dispatch.ts',
    [
      'a tick is missed between two completions',
      `    if (!isBare) this.#runTicks();`,
      ``,
      'net/echo',
    ],
    [
      'a new connection reads before its listeners are over',
      `    this.#port.newcomer = null;
    newcomer.beginReading();`,
      `    this.#port.newcomer = null;`,
      'net/echo',
    ],
    [
      'what comes meanwhile is delivered in the same turn',
      `      if (this.#left === 0 || !this.#completions.next()) return this.#nextDatagram();`,
      `      if (!this.#completions.next()) return this.#nextDatagram();`,
      'net/turns',
    ],
    [
      'two answers wait for each other',
      `const FEWEST_HELD_BACK = 8;`,
      `const FEWEST_HELD_BACK = 2;`,
      'engine/direct-sends',
    ],
    [
      'what was closed is told before the closing phase',
      `    if (this.#phase !== Phase.Polled) return to.deliverHeld();`,
      `    if (this.#phase !== Phase.Polled || to.isNative === false) return to.deliverHeld();`,
      'net/phases',
    ],
    [
      'what arrives is told in the closing phase, before what was closed in it',
      `phase === Phase.Closing ? this.#completions.putLast(this.#port.isArrival) : ready;`,
      `ready;`,
      'net/phases',
    ],
    [
      'connections wait for what datagrams make of the dispatch',
      `    return this.#port.datagrams?.isTimeUp ? Next.Later : Next.Scoped;`,
      `    return Next.Scoped;`,
      'dgram/fairness',
    ],
  ),
  ...inFile(
    'file',
    'src/port/datagram-turn.ts',
    [
      'the time is not looked at between datagrams',
      `    if (time > this.#end) this.#state = State.Over;`,
      ``,
      'dgram/batches',
    ],
    [
      'datagrams that have a port of their own do not rest',
      `const ALONE_MS = 0.25;`,
      `const ALONE_MS = 250;`,
      'dgram/batches',
    ],
  ),
  ...inFile('file', 'src/port/ring.ts', [
    'the slots of completions are not given back',
    `    Atomics.store(this.#words, this.#headWord, this.#head);
    return`,
    `    return`,
    'net/echo',
  ]),
  ...inFile('file', 'src/port/slots.ts', [
    'the id of an earlier socket finds the next one',
    `    return entry !== undefined && entry.id === id ? entry : this.#earlier.get(id);`,
    `    return entry ?? this.#earlier.get(id);`,
    'engine/slots',
  ]),
  ...inFile('file', 'src/port/send-slab.ts', [
    'blocks overlap',
    `first + (count - 1 - i) * bytes;`,
    `first + (count - 1 - i) * (bytes >> 1);`,
    'net/echo',
  ]),
  ...inFile('file', 'src/port/gathering.ts', [
    'what is gathered waits without a limit',
    `    if (this.isWaiting) return writer.queued > MOST_BYTES || now() - this.#since > LONGEST_MS;`,
    `    if (this.isWaiting) return false;`,
    'engine/gathering',
  ]),
  ...inFile('file', 'src/net/socket/socket-stream.ts', [
    'what resume() hands over cannot be stopped',
    '    const resumed: unknown = Duplex.prototype.resume.call(this as never);',
    `    if (link.userBuffer !== null) link.startReading();
    const resumed: unknown = Duplex.prototype.resume.call(this as never);`,
    'net/onread',
  ]),
  ...inFile(
    'file',
    'src/net/socket/link.ts',
    [
      'the timeout is not put off by what arrives',
      `    const { socket, userBuffer } = this;
    socket._unrefTimer();
    return userBuffer`,
      `    const { socket, userBuffer } = this;
    return userBuffer`,
      'net/timeout',
    ],
    [
      'a socket that was unreferenced before it connects holds the process',
      `    if (!this.refed) connection.unref();`,
      ``,
      'net/process',
    ],
    [
      'a read that failed is called a write',
      `    this.socket.destroy(operationError(error, 'read'));
  }

  onWriteError`,
      `    this.socket.destroy(operationError(error, 'write'));
  }

  onWriteError`,
      'net/errors',
    ],
  ),
  ...inFile(
    'file',
    'src/net/connect/look-up.ts',
    [
      'addresses are tried twice',
      `valid.findIndex((each) => each.address === address) === index,`,
      `valid.findIndex((each) => each.address === address) <= index,`,
      'net/connect',
    ],
    [
      'a lookup that answers one address for all hangs',
      `    const found = Array.from(result as ArrayLike<LookupAddress>);`,
      `    const found = result as LookupAddress[];`,
      'properties/connect',
    ],
  ),
  ...inFile(
    'file',
    'src/net/server/listen.ts',
    [
      'ipv6Only is asked for on IPv4',
      `    const ipv6Only = settings.ipv6Only && addressType === 6;`,
      `    const { ipv6Only } = settings;`,
      'properties/listen',
    ],
    [
      'an address in use is tried as the other family',
      `    if (name === 'EADDRINUSE') break;`,
      ``,
      'net/errors',
    ],
  ),
  ...inFile(
    'file',
    'src/net/server/admission.ts',
    [
      'one connection more than maxConnections is let in',
      `_connections >= limit;`,
      `_connections > limit;`,
      'net/server',
    ],
    [
      'what the server set is not known to its sockets',
      `    link.noDelay = true;
    link.setNoDelay(true);`,
      `    link.noDelay = true;`,
      'net/handle',
    ],
  ),
  ...inFile(
    'file',
    'src/net/socket/link.ts',
    [
      'the end of a connection is not told on the channel',
      `if (isOpen && channels.close.hasSubscribers)`,
      `if (!isOpen && channels.close.hasSubscribers)`,
      'engine/diagnostics',
    ],
    [
      'a connection that goes on with a handle of Node has no end on the channels',
      `if (leaves && channels.leave.hasSubscribers)`,
      `if (!leaves && channels.leave.hasSubscribers)`,
      'engine/diagnostics',
    ],
  ),
  ...inFile('file', 'src/port/drive-watch.ts', [
    'who drives is told each time, not when it has changed',
    `if (driver === this.#driver && turns === this.#turns) return;`,
    ``,
    'engine/debug-log',
  ]),
  ...inFile(
    'file',
    'src/port/port-datagrams.ts',
    [
      'a batch is delivered in one callback',
      `    if (this.#next === this.#count) this.#socket = null;
    socket.deliver(this.#memory, index);`,
      `    socket.deliver(this.#memory, index);
    if (this.#next === this.#count) this.#socket = null;
    else this.deliverOne();`,
      'dgram/batches',
    ],
    [
      'datagrams are delivered before what else has arrived',
      `    if (socket !== undefined) this.#readable.push(socket);`,
      `    if (socket !== undefined) {
      this.#readable.push(socket);
      while (this.hasReceived) this.deliverOne();
    }`,
      'dgram/fairness',
    ],
    [
      'what is left behind a full batch is not asked for',
      `    socket.awaitReadable(count === this.layout.datagrams.batch);`,
      `    socket.awaitReadable(false);`,
      'dgram/batches',
    ],
  ),
  ...inFile(
    'file',
    'src/port/outbox.ts',
    [
      'what is held is forgotten at the end of a dispatch',
      `    this.#hasSent = false;
    this.flush();
  }

  /** Everything held`,
      `    this.#hasSent = false;
  }

  /** Everything held`,
      'dgram/batches',
    ],
    [
      'nothing is held',
      `    if (this.#hasSent || this.#othersFollow()) {`,
      `    if (this.#used < 0) {`,
      'dgram/batches',
    ],
    [
      'who waits for a datagram that was held is not told',
      `    else if (done !== null) nextTick(`,
      `    else if (done !== null && error !== null) nextTick(`,
      'dgram/dgram',
    ],
  ),
  ...inFile(
    'file',
    'src/port/datagram-memory.ts',
    [
      'a datagram is lent, not copied',
      `    if (isOnHeap(length)) return copyOf(this.#bytes, offset, length);`,
      `    if (isOnHeap(length)) return this.#bytes.subarray(offset, offset + length);`,
      'dgram/dgram',
    ],
    [
      'a view of the memory is kept for another length',
      `    if (last?.length === length) return copyOfView(last);`,
      `    if (last !== undefined) return copyOfView(last);`,
      'dgram/segments',
    ],
    [
      'two senders with the same number get one name',
      `    if (known !== undefined && isSame(known.peer, family, zone, words, first)) return known.name;`,
      `    if (known !== undefined) return known.name;`,
      'dgram/memory',
    ],
  ),
];

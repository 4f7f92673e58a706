/** What there is in a scenario, servers, sockets and peers, and what its steps do to them. */
import * as net from 'iocp-net';
import { Random } from '../load/random';
import type { Judge } from './judge';
import { someBytes } from './payload';
import { Peer } from './peer';
import { onread, read } from './read-modes';
import { ServerBooks } from './server-books';
import type { Simulation } from './simulation';
import { SocketBooks } from './socket-books';
import type { Scenario, Step, StepKind } from './steps';
import { Wires, type Side } from './wires';

const HOST = '127.0.0.1';
const NOBODYS_PORT = 9;

/** The one that a step's number chooses. */
function chosen<Item>(from: readonly Item[], number: number): Item | undefined {
  return from[number % Math.max(1, from.length)];
}

/** Only clients have `onread`. What ends with its peer's end may end before its echo. */
const canRead = ({ mode, allowHalfOpen }: Step, side: Side): boolean =>
  mode === 'onread' ? side === 'client' : mode !== 'echo' || allowHalfOpen;

export class World {
  readonly wires = new Wires();
  readonly peers: Simulation['peers'];
  readonly servers: ServerBooks[] = [];
  readonly sockets: SocketBooks[] = [];
  readonly players: Peer[] = [];
  readonly #random: Random;
  readonly #peersPort: number;
  #isFinishing = false;

  constructor(
    readonly judge: Judge,
    readonly simulation: Simulation,
    scenario: Scenario,
  ) {
    this.peers = simulation.peers;
    this.#random = new Random(scenario.number, 1);
    this.#peersPort = this.peers.listen(100);
  }

  // --- Who there is -------------------------------------------------------------------------------

  #add(socket: net.Socket, side: Side, step: Step): SocketBooks {
    const name = `${side} ${this.sockets.length}`;
    const mode = canRead(step, side) ? step.mode : 'flowing';
    const books = new SocketBooks(this, socket, name, side, mode);
    this.sockets.push(books);
    read(socket, mode, {
      took: (bytes) => books.take(bytes),
      echoed: (bytes) => books.sent.append(bytes),
      iterated: () => books.cut(),
    });
    this.#react(books, step);
    return books;
  }

  #react(books: SocketBooks, step: Step): void {
    for (const { event, count, step: then } of step.reactions) {
      let left = count;
      // 'data' would let it flow.
      if (event === 'data' && books.mode !== 'flowing') continue;
      books.socket.on(event, () => {
        if (--left === 0 && !this.#isFinishing) this.perform(then, books);
      });
    }
  }

  #connect(port: number, step: Step): void {
    if (this.#isFinishing) return;
    const socket = net.connect({
      port,
      host: HOST,
      allowHalfOpen: step.allowHalfOpen,
      ...(step.mode === 'onread' && { onread: onread((bytes) => this.#took(books, bytes)) }),
    });
    const books = this.#add(socket, 'client', step);
    // Written before there is a connection.
    if (step.on % 3 === 0) books.writes.write(this.#random, step.size);
  }

  /** Of `onread`: now and then that is enough. */
  #took(books: SocketBooks, bytes: Uint8Array): boolean {
    books.take(bytes);
    if (this.#isFinishing || !this.#random.chance(0.05)) return true;
    books.isStopped = true;
    return false;
  }

  #listen(step: Step): void {
    const server = net.createServer({
      allowHalfOpen: step.allowHalfOpen,
      pauseOnConnect: step.on % 4 === 0,
    });
    const books = new ServerBooks(this.judge, server, `server ${this.servers.length}`);
    this.servers.push(books);
    server.on('connection', (socket) => books.admit(this.#add(socket, 'server', step)));
    server.listen(0, HOST);
  }

  #play(number: number | null, side: Side): boolean {
    if (number === null) return false;
    this.players.push(new Peer(this.judge, this.peers, this.wires, number, side));
    return true;
  }

  /** What has connected to the peers. */
  takeClients(): void {
    while (this.#play(this.peers.accept(this.#peersPort), 'server'));
  }

  // --- Steps --------------------------------------------------------------------------------------

  /** `books`: the socket whose listener it is. */
  perform(step: Step, books?: SocketBooks): void {
    this.judge.note(step.kind, step.on);
    this.takeClients();
    const socket = books ?? this.#socketFor(step);
    const ofSocket = this.#ofSockets[step.kind];
    if (ofSocket !== undefined) {
      if (socket !== undefined) ofSocket(socket, step);
      return;
    }
    const player = chosen(this.players, step.on);
    const ofPeer = this.#ofPeers[step.kind];
    if (ofPeer === undefined) this.#ofWorld[step.kind]?.(step);
    else if (player !== undefined) ofPeer(player, step);
  }

  /** One that is open, where there is one; now and then any. */
  #socketFor({ on }: Step): SocketBooks | undefined {
    const open = this.sockets.filter(({ socket }) => !socket.destroyed);
    return chosen(on % 11 === 0 || open.length === 0 ? this.sockets : open, on);
  }

  readonly #ofSockets: Partial<Record<StepKind, (books: SocketBooks, step: Step) => void>> = {
    write: (books, { size, on }) => {
      if (books.mode === 'echo') return;
      if (books.socket.writableEnded) {
        if (on % 5 !== 0) return;
        books.wasLate = true;
        books.cut();
      }
      books.writes.write(this.#random, size);
    },
    // Behind its end() a stream that is corked never finishes.
    cork: ({ socket }) => {
      if (!socket.writableEnded) socket.cork();
    },
    uncork: ({ socket }) => socket.uncork(),
    end: (books) => {
      if (books.mode !== 'echo') books.writes.end(this.#random, 0);
    },
    endWithData: (books, { size }) => {
      if (books.mode !== 'echo' && !books.socket.writableEnded) {
        books.writes.end(this.#random, size);
      }
    },
    destroy: (books) => {
      books.cut();
      books.socket.destroy();
    },
    destroyWithError: (books) => books.destroyWith(new Error('asked for')),
    destroySoon: (books) => {
      books.cut();
      books.wasLate ||= books.mode === 'echo';
      (books.socket as net.Socket & { destroySoon(): void }).destroySoon();
    },
    reset: (books) => books.reset(),
    pause: (books) => books.pause(),
    resume: (books) => books.resume(),
    setTimeout: (books, { size }) => books.setTimeout(size),
    ref: (books) => books.hold(true),
    unref: (books) => books.hold(false),
    setNoDelay: ({ socket }) => socket.setNoDelay(true),
  };

  readonly #ofPeers: Partial<Record<StepKind, (player: Peer, step: Step) => void>> = {
    peerSend: (player, { size }) => player.send(someBytes(this.#random, size)),
    peerReceive: (player, { size }) => player.receive(size),
    peerEnd: (player) => player.end(),
    peerClose: (player) => player.close(false),
    peerReset: (player) => player.close(true),
  };

  readonly #ofWorld: Partial<Record<StepKind, (step: Step) => void>> = {
    listen: (step) => this.#listen(step),
    closeServer: ({ on }) => chosen(this.servers, on)?.close(),
    refServer: ({ on }) => chosen(this.servers, on)?.hold(true),
    unrefServer: ({ on }) => chosen(this.servers, on)?.hold(false),
    unrefAll: () => {
      for (const books of [...this.servers, ...this.sockets]) books.hold(false);
    },
    connectOut: (step) => this.#connect(this.#peersPort, step),
    connectIn: ({ on, size }) => {
      const port = chosen(this.servers, on)?.port ?? 0;
      for (let i = 0; i < size && port !== 0; i++) this.#play(this.peers.connect(port), 'client');
    },
    connectBoth: (step) => {
      const port = chosen(this.servers, step.on)?.port ?? 0;
      // Two that echo each other never come to an end.
      const mode = step.mode === 'echo' ? 'flowing' : step.mode;
      if (port !== 0) this.#connect(port, { ...step, mode });
    },
    connectNowhere: (step) => this.#connect(NOBODYS_PORT, step),
    busy: ({ size }) => this.simulation.pass(size),
  };

  // --- The loop -----------------------------------------------------------------------------------

  /** Whether something must hold the loop, or nothing may; undefined where it is not known. */
  get holdsLoop(): boolean | undefined {
    const listens = this.servers.some(({ isClosing, refed, port }) => !isClosing && refed && port);
    const open = this.sockets.filter(({ isClosed }) => !isClosed);
    const reads = open.some((books) => books.refed && books.isFlowing);
    if (listens || reads || open.some(({ isSending }) => isSending)) return true;
    // What is corked may be sent in part.
    const may = open.some(({ refed, socket }) => refed || socket.writableCorked > 0);
    return may ? undefined : false;
  }

  checkAtRest(loopIsHeld: boolean): void {
    const expected = this.holdsLoop;
    const { judge } = this;
    if (expected === true && !loopIsHeld) judge.violate('the loop is not held', '');
    if (expected === false && loopIsHeld) judge.violate('the loop is held', '');
    for (const books of this.sockets) books.checkAtRest(loopIsHeld);
    if (loopIsHeld) for (const books of this.servers) this.#checkAccepted(books);
  }

  /** Of a server that is open, nobody is left waiting. */
  #checkAccepted(books: ServerBooks): void {
    if (books.isClosing || this.judge.hasFaults) return;
    for (const player of this.players) {
      const waits = player.side === 'client' && !player.wasCut && !player.hasEnded;
      if (!waits || this.wires.other(player.wire, 'client') !== undefined) continue;
      if (!this.peers.wasReset(player.wire)) {
        this.judge.violate("it never comes: a server's 'connection'", `wire ${player.wire}`);
      }
    }
  }

  // --- The end ------------------------------------------------------------------------------------

  /** Everything is to come to its end. */
  finish(): void {
    this.#isFinishing = true;
    for (const books of this.sockets) {
      const { socket, mode, writes } = books;
      while (socket.writableCorked > 0) socket.uncork();
      if (mode === 'readable') socket.read(0);
      books.resume();
      if (mode !== 'echo' && !socket.destroyed) writes.end(this.#random, 0);
    }
  }

  /** Peers read, and end with those with whom they talk; servers close. */
  playOn(): void {
    for (const server of this.servers) server.close();
    this.takeClients();
    for (const player of this.players) player.finish();
  }

  get isOver(): boolean {
    return (
      this.sockets.every(({ isClosed }) => isClosed) &&
      this.servers.every(({ isClosed, hasFailed }) => isClosed || hasFailed) &&
      this.players.every(({ isClosed }) => isClosed)
    );
  }

  checkAtEnd(): void {
    for (const books of this.sockets) books.checkAtEnd();
    for (const books of this.servers) books.checkAtEnd();
  }
}

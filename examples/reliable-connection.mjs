// The connection of reliable-stream.mjs: packets as bytes, and what makes a stream of them.
import { Duplex } from 'node:stream';

/** Of a packet: below what every path of the Internet carries. */
const PACKET_BYTES = 1200;
export const ID_BYTES = 8;
const HEADER_BYTES = ID_BYTES + 4;
/** Of a stream frame: kind, offset, length. */
const FRAME_BYTES = 1 + 6 + 2;
/** Room for an acknowledgement in the same packet. */
const ACK_BYTES = 1 + 1 + 16 * 8;
const PIECE_BYTES = PACKET_BYTES - HEADER_BYTES - FRAME_BYTES - ACK_BYTES;
const MOST_RANGES = 16;

const Kind = { Ack: 2, Stream: 8, StreamEnd: 9, Close: 28 };

/** A packet is lost when one that was sent so many later has arrived. */
const REORDERED = 3;
/** Of a round trip, until one was measured. */
const FIRST_ROUND_TRIP_MS = 30;
const LEAST_TIMEOUT_MS = 20;
const LONGEST_TIMEOUT_MS = 1000;
const MOST_TIMEOUTS = 8;
/** Without a packet for so long a connection is over, whatever it waits for. */
const IDLE_MS = 10_000;
const FIRST_WINDOW = 10;
const LEAST_WINDOW = 2;
/** Pieces that wait for the window before the writer has to wait. */
const MOST_QUEUED = 64;
// --- Packets

function* framesOf(packet) {
  for (let at = HEADER_BYTES; at < packet.length;) {
    const kind = packet[at++];
    if (kind === Kind.Ack) {
      const ranges = [];
      for (let left = packet.readUInt8(at++); left > 0; left--, at += 8) {
        ranges.push([packet.readUInt32BE(at), packet.readUInt32BE(at + 4)]);
      }
      yield { kind, ranges };
    } else if (kind === Kind.Stream || kind === Kind.StreamEnd) {
      const offset = packet.readUIntBE(at, 6);
      const length = packet.readUInt16BE(at + 6);
      at += 8;
      if (at + length > packet.length) throw new RangeError('a piece is cut off');
      yield { kind, offset, bytes: packet.subarray(at, at + length) };
      at += length;
    } else if (kind === Kind.Close) {
      yield { kind };
    } else {
      throw new RangeError(`no kind of frame: ${kind}`);
    }
  }
}

/** Null where it is none. */
export function parse(packet) {
  try {
    const id = packet.toString('hex', 0, ID_BYTES);
    return { id, number: packet.readUInt32BE(ID_BYTES), frames: [...framesOf(packet)] };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function encodeAck(ranges) {
  const frame = Buffer.alloc(2 + ranges.length * 8);
  frame[0] = Kind.Ack;
  frame[1] = ranges.length;
  ranges.forEach(([first, last], index) => {
    frame.writeUInt32BE(first, 2 + index * 8);
    frame.writeUInt32BE(last, 6 + index * 8);
  });
  return frame;
}

function encodePiece({ kind, offset, bytes }) {
  const frame = Buffer.alloc(FRAME_BYTES);
  frame[0] = kind;
  frame.writeUIntBE(offset, 1, 6);
  frame.writeUInt16BE(bytes.length, 7);
  return Buffer.concat([frame, bytes]);
}

/** Packet numbers that have arrived, as ranges in ascending order. */
class Ranges {
  list = [];

  /** False if it was there. */
  add(number) {
    const { list } = this;
    let at = list.length;
    while (at > 0 && list[at - 1][0] > number) at--;
    const before = list[at - 1];
    if (before !== undefined && number <= before[1]) return false;
    if (before !== undefined && number === before[1] + 1) before[1] = number;
    else list.splice(at++, 0, [number, number]);
    const after = list[at];
    if (after !== undefined && after[0] === list[at - 1][1] + 1) {
      list[at - 1][1] = after[1];
      list.splice(at, 1);
    }
    if (list.length > MOST_RANGES) list.shift();
    return true;
  }
}

// --- A connection, which is its one stream

export class Connection extends Duplex {
  counts = { sent: 0, lost: 0, timeouts: 0 };
  #id;
  #transmit;
  // What leaves.
  #queue = [];
  #inFlight = new Map();
  #nextNumber = 0;
  #offset = 0;
  #window = FIRST_WINDOW;
  #threshold = Infinity;
  #recoversUntil = -1;
  #roundTripMs = FIRST_ROUND_TRIP_MS;
  #timeoutsInARow = 0;
  #timer = null;
  #wantsMore = null;
  #whenAcknowledged = null;
  // What arrives.
  #arrived = new Ranges();
  #pieces = new Map();
  #expected = 0;
  #acknowledging = null;
  #idle = setTimeout(() => this.#giveUp(), IDLE_MS);

  constructor(id, transmit) {
    super();
    this.#id = Buffer.from(id, 'hex');
    this.#transmit = transmit;
  }

  _read() {}

  _write(bytes, _encoding, done) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      this.#queue.push({ kind: Kind.Stream, offset: this.#offset, bytes: piece });
      this.#offset += piece.length;
    }
    this.#wantsMore = done;
    this.#fill();
  }

  _final(done) {
    this.#queue.push({ kind: Kind.StreamEnd, offset: this.#offset, bytes: Buffer.alloc(0) });
    this.#whenAcknowledged = done;
    this.#fill();
  }

  _destroy(error, done) {
    clearTimeout(this.#timer);
    clearTimeout(this.#idle);
    clearImmediate(this.#acknowledging);
    this.#sendPacket(Buffer.from([Kind.Close]));
    this.#whenAcknowledged?.(error);
    done(error);
  }

  // --- Sending

  #sendPacket(...frames) {
    const number = this.#nextNumber++;
    const header = Buffer.alloc(4);
    header.writeUInt32BE(number);
    this.counts.sent++;
    this.#transmit(Buffer.concat([this.#id, header, ...frames]));
    return number;
  }

  #sendPiece() {
    const piece = this.#queue.shift();
    const frames = [encodePiece(piece)];
    if (this.#acknowledging !== null) frames.push(this.#acknowledgement());
    this.#inFlight.set(this.#sendPacket(...frames), { piece, sentAt: performance.now() });
  }

  /** As much as the window lets out. */
  #fill() {
    while (this.#queue.length > 0 && this.#inFlight.size < this.#window) this.#sendPiece();
    this.#watch();
    if (this.#queue.length < MOST_QUEUED && this.#wantsMore !== null) {
      const done = this.#wantsMore;
      this.#wantsMore = null;
      done();
    }
    if (this.#queue.length === 0 && this.#inFlight.size === 0) {
      this.#whenAcknowledged?.();
      this.#whenAcknowledged = null;
    }
  }

  #watch() {
    clearTimeout(this.#timer);
    if (this.#inFlight.size === 0) return;
    const ms = Math.max(LEAST_TIMEOUT_MS, 3 * this.#roundTripMs) * 2 ** this.#timeoutsInARow;
    this.#timer = setTimeout(() => this.#timeOut(), Math.min(ms, LONGEST_TIMEOUT_MS));
  }

  /** Nothing has come for long: the oldest is sent again, and its acknowledgement tells the rest. */
  #timeOut() {
    if (++this.#timeoutsInARow > MOST_TIMEOUTS) return this.#giveUp();
    this.counts.timeouts++;
    const [oldest] = this.#inFlight.keys();
    this.#lose(oldest);
    // Whatever the window says: nothing else may ever tell of the others.
    this.#sendPiece();
    this.#fill();
  }

  #giveUp() {
    this.destroy(Object.assign(new Error('the peer is silent'), { code: 'ETIMEDOUT' }));
  }

  #lose(number) {
    this.counts.lost++;
    this.#queue.unshift(this.#inFlight.get(number).piece);
    this.#inFlight.delete(number);
    // Losses of one round trip are one sign of congestion.
    if (number <= this.#recoversUntil) return;
    this.#recoversUntil = this.#nextNumber;
    this.#window = this.#threshold = Math.max(LEAST_WINDOW, this.#window / 2);
  }

  #acknowledged(ranges) {
    const isNew = (number) => ranges.some(([first, last]) => number >= first && number <= last);
    let largest = -1;
    for (const [number, { sentAt }] of this.#inFlight) {
      if (!isNew(number)) continue;
      this.#inFlight.delete(number);
      largest = number;
      this.#roundTripMs += (performance.now() - sentAt - this.#roundTripMs) / 8;
      this.#window += this.#window < this.#threshold ? 1 : 1 / this.#window;
    }
    if (largest < 0) return;
    this.#timeoutsInARow = 0;
    const lost = [...this.#inFlight.keys()].filter((number) => number <= largest - REORDERED);
    for (const number of lost.reverse()) this.#lose(number);
    this.#fill();
  }

  // --- Receiving

  receive({ number, frames }) {
    this.#idle.refresh();
    const isNew = this.#arrived.add(number);
    for (const frame of frames) {
      if (this.destroyed) return;
      if (frame.kind === Kind.Ack) this.#acknowledged(frame.ranges);
      else if (frame.kind === Kind.Close) this.#closedByPeer();
      else if (isNew) this.#takePiece(frame);
      // Those of one turn of the event loop are acknowledged together.
      if (frame.offset !== undefined) this.#acknowledging ??= setImmediate(() => this.#answer());
    }
  }

  #answer() {
    this.#sendPacket(this.#acknowledgement());
  }

  #acknowledgement() {
    clearImmediate(this.#acknowledging);
    this.#acknowledging = null;
    return encodeAck(this.#arrived.list);
  }

  #takePiece({ kind, offset, bytes }) {
    if (offset < this.#expected || this.#pieces.has(offset)) return;
    this.#pieces.set(offset, { kind, bytes });
    for (;;) {
      const next = this.#pieces.get(this.#expected);
      if (next === undefined) return;
      this.#pieces.delete(this.#expected);
      if (next.kind === Kind.StreamEnd) {
        this.#expected = Infinity;
        this.push(null);
        return;
      }
      this.#expected += next.bytes.length;
      this.push(next.bytes);
    }
  }

  /** It has all that it wanted. */
  #closedByPeer() {
    this.#queue = [];
    this.#inFlight.clear();
    this.#fill();
    if (this.#expected !== Infinity) this.destroy(new Error('the peer has closed'));
  }
}

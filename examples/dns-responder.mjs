// Answers DNS questions for the addresses of a few names, over UDP:
//
//   node dns-responder.mjs            then: dig -p 5353 @127.0.0.1 one.example
//
// Just enough of RFC 1035 for that: one question, answers of class IN and type A.
import dgram from 'iocp-net/dgram';

const { PORT = '5353', HOST = '127.0.0.1' } = process.env;

const addresses = new Map([
  ['one.example', ['192.0.2.1']],
  ['two.example', ['192.0.2.1', '192.0.2.2']],
]);

const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
/** Bits of the header's flags: it is an answer, by an authority. The code is in the last four. */
const ANSWER = 0x8400;
const FORMAT_ERROR = 1;
const NO_SUCH_NAME = 3;

/** The name at the end of the header, in lower case, and where it ends; null where it is none. */
function readName(query) {
  const labels = [];
  for (let at = HEADER_BYTES; at < query.length;) {
    const length = query[at++];
    if (length === 0) return { name: labels.join('.').toLowerCase(), end: at };
    if (length > 63 || at + length > query.length) return null;
    labels.push(query.toString('latin1', at, at + length));
    at += length;
  }
  return null;
}

function header(query, code, answers) {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(query.readUInt16BE(0), 0);
  bytes.writeUInt16BE(ANSWER | (query.readUInt16BE(2) & 0x0100) | code, 2);
  bytes.writeUInt16BE(code === FORMAT_ERROR ? 0 : 1, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

/** An answer that refers to the name in the question. */
function record(address) {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(CLASS_IN, 4);
  bytes.writeUInt32BE(60, 6); // seconds for which it holds
  bytes.writeUInt16BE(4, 10);
  bytes.set(address.split('.').map(Number), 12);
  return bytes;
}

/** The answer in pieces, or null to what is no question at all. */
function answer(query) {
  if (query.length < HEADER_BYTES || (query[2] & 0x80) !== 0) return null;
  const question = query.readUInt16BE(4) === 1 ? readName(query) : null;
  if (question === null || question.end + 4 > query.length) {
    return [header(query, FORMAT_ERROR, 0)];
  }
  const asked = query.subarray(HEADER_BYTES, question.end + 4);
  const known = addresses.get(question.name);
  if (known === undefined) return [header(query, NO_SUCH_NAME, 0), asked];
  const isForAddress = query.readUInt16BE(question.end) === TYPE_A;
  const records = isForAddress ? known.map(record) : [];
  return [header(query, 0, records.length), asked, ...records];
}

const server = dgram.createSocket('udp4', (query, { port, address }) => {
  const pieces = answer(query);
  if (pieces !== null) server.send(pieces, port, address);
});

server.bind(Number(PORT), HOST, () => {
  const { port, address } = server.address();
  console.log(`DNS for ${[...addresses.keys()].join(', ')} on ${address}:${port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());

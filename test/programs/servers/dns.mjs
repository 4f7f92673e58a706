// A name server: dns-packet over UDP, and over TCP for answers that are too large for that.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import packet from 'dns-packet';

const { PORT = '53', HOST = '127.0.0.1' } = process.env;

/** What a client takes over UDP that does not say more. */
const DATAGRAM_BYTES = 512;

const records = {
  A: (number) => `10.0.${number >> 8}.${number & 255}`,
  AAAA: (number) => `fd00::${number.toString(16)}`,
  TXT: (number) => `text ${number}`,
  MX: (number) => ({ preference: number, exchange: `mail${number}.example` }),
  SRV: (number) => ({ priority: 1, weight: number, port: 5000 + number, target: 'host.example' }),
};

/** What says that there is no such name. */
const NXDOMAIN = 3;

/** Of `n.example` there is the record `n`, of `many-n.example` those from 0 to `n` - 1. */
function answersTo({ name, type }) {
  const [, many, digits] = /^(many-)?(\d+)\.example$/i.exec(name) ?? [];
  const record = records[type];
  if (digits === undefined || record === undefined) return null;
  const number = Number(digits);
  const numbers = many === undefined ? [number] : Array.from({ length: number }, (_, n) => n);
  return numbers.map((each) => ({ name, type, ttl: 60, data: record(each) }));
}

function answer({ id, flags, questions }) {
  const answers = questions.map(answersTo);
  const found = answers.every((each) => each !== null);
  return {
    type: 'response',
    id,
    flags:
      (flags & packet.RECURSION_DESIRED) | packet.AUTHORITATIVE_ANSWER | (found ? 0 : NXDOMAIN),
    questions,
    answers: found ? answers.flat() : [],
  };
}

const overUdp = createSocket('udp4');
overUdp.on('message', (bytes, { address, port }) => {
  const query = packet.decode(bytes);
  const whole = answer(query);
  let encoded = packet.encode(whole);
  const { udpPayloadSize = DATAGRAM_BYTES } =
    query.additionals.find(({ type }) => type === 'OPT') ?? {};
  if (encoded.length > udpPayloadSize) {
    const flags = whole.flags | packet.TRUNCATED_RESPONSE;
    encoded = packet.encode({ ...whole, flags, answers: [] });
  }
  overUdp.send(encoded, port, address);
});

const overTcp = createServer((socket) => {
  let partial = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    partial = Buffer.concat([partial, chunk]);
    while (partial.length > 2 && partial.length >= 2 + partial.readUInt16BE()) {
      const end = 2 + partial.readUInt16BE();
      socket.write(packet.streamEncode(answer(packet.streamDecode(partial.subarray(0, end)))));
      partial = partial.subarray(end);
    }
  });
});

overTcp.listen(Number(PORT), HOST, () => {
  const { port } = overTcp.address();
  overUdp.bind(port, HOST, () => console.log(`Names are served on dns://${HOST}:${port}`));
});

process.once('SIGTERM', () => {
  overUdp.close();
  overTcp.close();
});

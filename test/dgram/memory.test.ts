/** The records of datagrams, on memory of the test's: what real peers cannot be made to show. */
import t from 'tap';
import { DatagramMemory } from '#dist/port/datagram-memory.js';

const RECORD_WORDS = 12;
const layout = {
  datagrams: {
    batch: 2,
    room: 64,
    sendRecords: 2,
    sendBytes: 64,
    receivedAt: 0,
    sendAt: 2 * RECORD_WORDS * 4,
    payloadsAt: 4 * RECORD_WORDS * 4,
    sendPayloadsAt: 4 * RECORD_WORDS * 4 + 128,
    recordWords: RECORD_WORDS,
    id: 0,
    result: 1,
    offset: 2,
    length: 3,
    family: 4,
    port: 5,
    scope: 6,
    address: 8,
    ipv4: 1,
    ipv6: 2,
  },
};

function open(): { memory: DatagramMemory; words: Int32Array; calls: string[] } {
  const buffer = new ArrayBuffer(1024);
  const words = new Int32Array(buffer);
  const calls: string[] = [];
  const native = {
    openDatagrams: (into: object) =>
      Object.assign(into, { datagrams: { buffer, offset: 0, bytes: 1024 } }) === into,
    formatPeer: (index: number) => {
      calls.push(`format ${index}`);
      return [...words.subarray(index * RECORD_WORDS + 8, index * RECORD_WORDS + 12)].join('-');
    },
    parsePeer: (index: number, name: string) => {
      calls.push(`parse ${name}`);
      const zone = Number(name.split('%')[1] ?? 0);
      words[2 * RECORD_WORDS + index * RECORD_WORDS + 4] = name.includes(':') ? 2 : 1;
      words[2 * RECORD_WORDS + index * RECORD_WORDS + 6] = zone;
      words[2 * RECORD_WORDS + index * RECORD_WORDS + 8] = name.length;
      return name === 'nothing' ? -1 : 0;
    },
  };
  const memory = DatagramMemory.open(native as never, layout as never);
  if (memory === null) throw new Error('no memory');
  return { memory, words, calls };
}

t.test('senders whose words mix to the same number keep their names', (test) => {
  const { memory, words, calls } = open();
  words.set([31, 0, 0, 0], 8);
  words.set([0, 1, 0, 0], RECORD_WORDS + 8);
  test.equal(memory.sender(0), '31-0-0-0');
  test.equal(memory.sender(1), '0-1-0-0');
  test.equal(memory.sender(0), '31-0-0-0');
  test.equal(memory.sender(0), '31-0-0-0');
  test.same(calls, ['format 0', 'format 1', 'format 0']);
  test.end();
});

t.test('an address is parsed once, one with a zone each time', (test) => {
  const { memory, calls } = open();
  test.equal(memory.address(0, '1.2.3.4', 'ipv4', 1), null);
  test.equal(memory.address(1, '1.2.3.4', 'ipv4', 2), null);
  test.equal(memory.address(0, 'fe80::1%2', 'ipv6', 1), null);
  test.equal(memory.address(0, 'fe80::1%2', 'ipv6', 1), null);
  test.equal(memory.address(0, '1.2.3.4', 'ipv6', 1), 'EINVAL');
  test.equal(memory.address(0, 'nothing', 'ipv4', 1), 'EINVAL');
  test.same(calls, ['parse 1.2.3.4', 'parse fe80::1%2', 'parse fe80::1%2', 'parse nothing']);
  test.end();
});

t.test('what is remembered has its limit', (test) => {
  const { memory, words, calls } = open();
  for (let i = 0; i < 10_000; i++) {
    words[8] = i;
    memory.sender(0);
    memory.address(0, `10.0.${i}`, 'ipv4', 1);
  }
  const before = calls.length;
  words[8] = 0;
  memory.sender(0);
  memory.address(0, '10.0.0', 'ipv4', 1);
  test.equal(calls.length - before, 2);
  test.end();
});

/** What the framings make of bytes, and what they refuse. */
import t from 'tap';
import {
  commandFrames,
  delimited,
  fixedSize,
  lengthPrefixed,
  varintPrefixed,
} from 'iocp-net/framing';
import { load, run } from '../support/child';

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('the bytes of each width and order of length', async (test) => {
  const widths = { 1: '03', 2: '0003', 3: '000003', 4: '00000003', 6: '000000000003' } as const;
  for (const [width, head] of Object.entries(widths)) {
    const lengthBytes = Number(width) as 1 | 2 | 3 | 4 | 6;
    test.same(lengthPrefixed({ lengthBytes }).encode('abc'), hex(`${head}616263`));
    const little = lengthPrefixed({ lengthBytes, endianness: 'little' });
    test.same(little.encode('abc'), Buffer.concat([hex(head).reverse(), Buffer.from('abc')]));
  }
  test.same(lengthPrefixed({ lengthBytes: 8 }).encode(bytes(9)), hex('0000000000000001 09'));
});

t.test('fields before and after, and what the length counts', async (test) => {
  const header = {
    before: { magic: { bytes: 2 }, version: 'uint8' },
    after: { id: 'int16' },
  } as const;
  const frame = { magic: hex('cafe'), version: 7, id: -2, payload: bytes(1, 2, 3) };
  const lengths = { payload: '03', rest: '05', frame: '09' } as const;
  for (const [counts, length] of Object.entries(lengths)) {
    const lengthCounts = counts as keyof typeof lengths;
    const codec = lengthPrefixed({ ...header, lengthBytes: 1, lengthCounts });
    const encoded = codec.encode(frame);
    test.same(encoded, hex(`cafe 07 ${length} fffe 010203`));
    test.same(codec.decoder().push(encoded), [frame]);
  }
  const adjusted = lengthPrefixed({ lengthBytes: 1, lengthAdjustment: -1 });
  test.same(adjusted.encode('ab'), hex('03 6162'));
  test.same(adjusted.decoder().push(hex('03 6162')), [Buffer.from('ab')]);
});

t.test('the header of dataLength and commandType', async (test) => {
  const codec = commandFrames();
  const encoded = codec.encode({ commandType: 0xdeadbeef, payload: 'hi' });
  test.same(encoded, hex('00000002 deadbeef 6869'));
  const [frame] = codec.decoder().push(encoded);
  test.same(frame, { commandType: 0xdeadbeef, payload: Buffer.from('hi') });
  test.same(codec.encode({ commandType: 1 }), hex('00000000 00000001'));
  const little = commandFrames({ endianness: 'little' });
  test.same(little.encode({ commandType: 1, payload: 'x' }), hex('01000000 01000000 78'));
});

t.test('the varints of other implementations', async (test) => {
  // The examples of the documentation of Protocol Buffers, and of RFC 9000, A.1.
  const base128 = varintPrefixed();
  test.same(base128.encode(Buffer.alloc(150)).subarray(0, 2), hex('9601'));
  const quic = varintPrefixed({ varint: 'quic' });
  test.same(quic.encode(Buffer.alloc(37)).subarray(0, 1), hex('25'));
  test.same(quic.encode(Buffer.alloc(15_293)).subarray(0, 2), hex('7bbd'));
  test.same(quic.decoder().push(hex('4001 aa')), [bytes(0xaa)], 'also where fewer bytes would do');
  test.same(base128.decoder().push(hex('818000 aa')), [bytes(0xaa)], 'likewise');
  const tooLong = { code: 'ERR_FRAME_TOO_LARGE', limit: 2 ** 20 };
  const readBase128 = (text: string) => () => base128.decoder().push(hex(text));
  test.throws(readBase128('ffffffffffffffffff01'), { ...tooLong, announced: 2n ** 64n - 1n });
  test.throws(readBase128('ffffffffffffffffff ff01'), { code: 'ERR_FRAME_LENGTH' });
  const readQuic = (): unknown => quic.decoder().push(hex('c2197c5eff14e88c'));
  test.throws(readQuic, { ...tooLong, announced: 151_288_809_941_952_652n });
});

t.test('a length beyond the limit is refused by the header alone', async (test) => {
  const codec = lengthPrefixed({ maxPayloadBytes: 10 });
  const decoder = codec.decoder();
  test.throws(() => decoder.push(hex('ffffffff')), {
    code: 'ERR_FRAME_TOO_LARGE',
    announced: 0xffffffff,
    limit: 10,
  });
  test.equal(decoder.bufferedBytes, 0);
  test.throws(() => decoder.push(hex('00000001 61')), { code: 'ERR_FRAME_TOO_LARGE' });
  test.throws(() => decoder.end(), { code: 'ERR_FRAME_TOO_LARGE' });
  const most = lengthPrefixed({ lengthBytes: 8 }).decoder();
  test.throws(() => most.push(hex('ffffffffffffffff')), {
    code: 'ERR_FRAME_TOO_LARGE',
    announced: 2n ** 64n - 1n,
  });
  test.throws(() => codec.encode(Buffer.alloc(11)), { code: 'ERR_FRAME_TOO_LARGE', announced: 11 });
  test.same(codec.decoder().push(codec.encode(Buffer.alloc(10))), [Buffer.alloc(10)]);
});

t.test('an announced length takes no memory before its bytes come', async (test) => {
  const codec = lengthPrefixed({ maxPayloadBytes: 2 ** 31 });
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 100 }, () => {
    const decoder = codec.decoder();
    decoder.push(hex('40000000 01'));
    return decoder;
  });
  const taken = process.memoryUsage().arrayBuffers - before;
  test.ok(taken < 100 * 128 * 1024, `${taken} bytes for 100 of a GiB`);
  test.equal(decoders[0]?.bufferedBytes, 5);
});

t.test('a length smaller than the header that it counts', async (test) => {
  const decoder = lengthPrefixed({ lengthCounts: 'frame', lengthBytes: 2 }).decoder();
  test.throws(() => decoder.push(hex('0001')), { code: 'ERR_FRAME_LENGTH', announced: 1 });
});

t.test('what lies within a chunk is a view of it, unless a copy is asked for', async (test) => {
  for (const make of [lengthPrefixed, varintPrefixed, delimited]) {
    for (const copy of [false, true]) {
      const codec = make({ copy });
      const chunk = Buffer.concat([
        codec.encode(Buffer.alloc(100_000, 7)),
        codec.encode('x'.repeat(200)),
      ]);
      const frames = codec.decoder().push(chunk);
      test.equal(frames.length, 2);
      for (const { buffer, length } of frames) {
        if (copy) test.equal(buffer.byteLength, length);
        else test.equal(buffer, chunk.buffer);
      }
    }
  }
});

t.test('a frame in two chunks has memory of its length', async (test) => {
  for (const make of [lengthPrefixed, varintPrefixed, delimited]) {
    const codec = make();
    const stream = codec.encode('x'.repeat(200));
    const decoder = codec.decoder();
    test.same(decoder.push(stream.subarray(0, 50)), []);
    const [frame] = decoder.push(stream.subarray(50));
    test.equal(String(frame), 'x'.repeat(200));
    test.equal(frame?.buffer.byteLength, 200);
  }
});

t.test('a large payload is a part of its own, and not copied', async (test) => {
  const large = Buffer.alloc(4096, 1);
  test.equal(lengthPrefixed().encodeParts(large)[1], large);
  test.equal(delimited().encodeParts(large)[0], large);
  test.equal(fixedSize({ bytes: 4096 }).encodeParts(large)[0], large);
  test.equal(commandFrames().encodeParts({ commandType: 1, payload: large })[1], large);
  test.equal(lengthPrefixed().encodeParts(large.subarray(1)).length, 1);
});

t.test('delimiters of several bytes', async (test) => {
  const codec = delimited({ delimiter: '--end' });
  const decoder = codec.decoder();
  const stream = Buffer.from('a--b--end--end----end');
  const frames = [...stream].flatMap((byte) => decoder.push(bytes(byte)));
  test.same(frames.map(String), ['a--b', '', '--']);
  test.throws(() => codec.encode('x--endy'), { code: 'ERR_FRAME_DELIMITER' });
  test.throws(() => delimited({ delimiter: 'aa' }).encode('xa'), { code: 'ERR_FRAME_DELIMITER' });
});

t.test('a frame without a delimiter grows no longer than the limit', async (test) => {
  const decoder = delimited({ delimiter: '\r\n', maxPayloadBytes: 4 }).decoder();
  test.same(decoder.push(Buffer.from('abcd\r')), []);
  test.same(decoder.push(Buffer.from('\nabcd\r')), [Buffer.from('abcd')]);
  test.throws(() => decoder.push(Buffer.from('x')), { code: 'ERR_FRAME_TOO_LARGE', limit: 4 });
  const whole = delimited({ maxPayloadBytes: 4 }).decoder();
  test.throws(() => whole.push(Buffer.from('abcde\n')), {
    code: 'ERR_FRAME_TOO_LARGE',
    announced: 5,
  });
});

t.test('good frames come before the error that follows them', async (test) => {
  const codec = lengthPrefixed({ maxPayloadBytes: 4 });
  const stream = Buffer.concat([codec.encode('ok'), hex('000000ff')]);
  const seen: string[] = [];
  test.throws(() => codec.decoder().push(stream, (frame) => void seen.push(String(frame))), {
    code: 'ERR_FRAME_TOO_LARGE',
  });
  test.same(seen, ['ok']);
  const decoder = codec.decoder();
  test.same(decoder.push(stream), [Buffer.from('ok')]);
  test.throws(() => decoder.push(bytes()), { code: 'ERR_FRAME_TOO_LARGE' });
});

t.test('what a decoder is given by its own onFrame, and what that throws', async (test) => {
  const codec = lengthPrefixed();
  const decoder = codec.decoder();
  const push = (): void => decoder.push(codec.encode('a'), () => decoder.push(bytes(0)));
  test.throws(push, { code: 'ERR_FRAME_DECODER_BUSY' });
  const other = codec.decoder();
  const thrown = new Error('of the program');
  const fail = (): void => {
    throw thrown;
  };
  test.throws(() => other.push(codec.encode('a'), fail), thrown);
  test.throws(() => other.push(codec.encode('a')), thrown);
});

t.test('chunks that are no Buffer', async (test) => {
  const codec = lengthPrefixed();
  test.same(codec.decoder().push(new Uint8Array(codec.encode('a'))), [Buffer.from('a')]);
  test.throws(() => codec.decoder().push('a' as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

t.test('options and frames that are refused', async (test) => {
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  const value = { code: 'ERR_INVALID_ARG_VALUE' };
  const refuses = (options: object, expected: { code: string }): void =>
    void test.throws(() => lengthPrefixed(options as never), expected, JSON.stringify(options));
  refuses({ lengthBytes: 5 }, value);
  refuses({ endianness: 'middle' }, value);
  refuses({ lengthCounts: 'all' }, value);
  refuses({ lengthAdjustment: 0.5 }, range);
  refuses({ lengthBytes: 1, lengthCounts: 'frame', after: { much: { bytes: 300 } } }, value);
  refuses({ maxPayloadBytes: -1 }, range);
  refuses({ maxPayloadBytes: '1' }, type);
  refuses({ copy: 1 }, type);
  refuses({ after: { payload: 'uint8' } }, value);
  refuses({ after: { 1: 'uint8' } }, value);
  refuses({ before: { a: 'uint8' }, after: { a: 'uint8' } }, value);
  refuses({ after: { a: 'uint9' } }, value);
  refuses({ after: { a: 'toString' } }, value);
  refuses({ after: { a: { bytes: 0 } } }, range);
  test.throws(() => lengthPrefixed(1 as never), type);
  test.throws(() => varintPrefixed({ varint: 'leb' } as never), value);
  test.throws(() => fixedSize({} as never), type);
  test.throws(() => delimited({ delimiter: '' }), value);

  const codec = lengthPrefixed({ after: { id: 'uint8', big: 'int64', raw: { bytes: 2 } } });
  const good = { id: 1, big: 1n, raw: bytes(1, 2) };
  test.equal(codec.encode(good).length, 15);
  const name = 'frame.id';
  test.throws(() => codec.encode({ ...good, id: 256 }), { ...range, message: new RegExp(name) });
  test.throws(() => codec.encode({ ...good, id: 1.5 }), range);
  test.throws(() => codec.encode({ ...good, id: '1' } as never), type);
  test.throws(() => codec.encode({ ...good, big: 2n ** 63n }), range);
  test.throws(() => codec.encode({ ...good, raw: bytes(1) }), range);
  test.throws(() => codec.encode({ ...good, payload: 1 } as never), type);
  test.throws(() => codec.encode('text' as never), type);
  test.throws(() => fixedSize({ bytes: 2 }).encode('abc'), { code: 'ERR_FRAME_LENGTH' });
  test.throws(() => lengthPrefixed({ lengthBytes: 1 }).encode(Buffer.alloc(256)), {
    code: 'ERR_FRAME_TOO_LARGE',
    limit: 255,
  });
  const least = lengthPrefixed({ lengthAdjustment: 2 });
  test.throws(() => least.encode('a'), { code: 'ERR_FRAME_LENGTH' });
});

t.test('nothing of the core is loaded', async (test) => {
  const { stdout, stderr } = await run(`
    ${load('framing')}
    framing.framed(new (require('node:stream').PassThrough)(), framing.lengthPrefixed());
    const files = Object.keys(require.cache);
    const natives = files.filter((file) => file.endsWith('.node'));
    const chunks = files.filter((file) => /dist.(core|connect|rest)\\.js$/.test(file));
    console.log(JSON.stringify([natives, chunks]));
  `);
  test.same(stderr, '');
  test.same(JSON.parse(stdout), [[], []]);
});

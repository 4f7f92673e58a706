// Bytes without end that do not repeat soon: each block starts with its number.

const blockBytes = 64 * 1024;
const filling = Buffer.alloc(blockBytes, 'no byte is lost, none comes twice; ');

/** The first `count` of them. */
export function* bytesUpTo(count) {
  for (let at = 0; at < count; at += blockBytes) {
    const block = Buffer.from(filling);
    block.writeDoubleBE(at);
    yield block.subarray(0, Math.min(blockBytes, count - at));
  }
}

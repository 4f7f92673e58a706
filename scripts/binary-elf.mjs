// Reads of an ELF file of 64 bits, little-endian, what the system's loader reads of it.

const SEGMENT = { dynamic: 2, note: 4, relro: 0x6474e552, stack: 0x6474e551 };
const TAG = {
  strings: 5,
  symbols: 6,
  symbolBytes: 11,
  textRelocations: 22,
  flags: 30,
  flags1: 0x6ffffffb,
};
const EXECUTABLE = 1;
const SYMBOL_BYTES = 24;
const MACHINES = { 62: 'x64', 183: 'arm64' };

const number = (bytes, at) => Number(bytes.readBigUInt64LE(at));

function segmentsOf(bytes) {
  const count = bytes.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => {
    const at = number(bytes, 32) + index * bytes.readUInt16LE(54);
    return {
      type: bytes.readUInt32LE(at),
      flags: bytes.readUInt32LE(at + 4),
      offset: number(bytes, at + 8),
      address: number(bytes, at + 16),
      length: number(bytes, at + 32),
    };
  });
}

function dynamicOf(bytes, segments) {
  const tags = new Map();
  const found = segments.find(({ type }) => type === SEGMENT.dynamic);
  for (let at = found?.offset ?? 0; at < (found ? found.offset + found.length : 0); at += 16) {
    tags.set(number(bytes, at), number(bytes, at + 8));
  }
  return tags;
}

/** Symbols that are asked for or offered. Their table has no length: the strings follow it. */
function symbolsOf(bytes, tags, offsetOf) {
  const strings = offsetOf(tags.get(TAG.strings));
  const first = offsetOf(tags.get(TAG.symbols));
  const symbols = new Map();
  for (let at = first; at + SYMBOL_BYTES <= strings; at += SYMBOL_BYTES) {
    const name = strings + bytes.readUInt32LE(at);
    symbols.set(bytes.toString('latin1', name, bytes.indexOf(0, name)), number(bytes, at + 8));
  }
  return symbols;
}

/** Null, if it is none. */
export function readElf(bytes) {
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2 || bytes[5] !== 1) return null;
  const segments = segmentsOf(bytes);
  const tags = dynamicOf(bytes, segments);
  const offsetOf = (address) => {
    const inside = ({ type, address: start, length }) =>
      type === 1 && address >= start && address < start + length;
    const segment = segments.find(inside);
    return address - segment.address + segment.offset;
  };
  const symbols = symbolsOf(bytes, tags, offsetOf);
  const stack = segments.find(({ type }) => type === SEGMENT.stack);
  return {
    machine: MACHINES[bytes.readUInt16LE(18)] ?? 'another',
    hasRelro: segments.some(({ type }) => type === SEGMENT.relro),
    bindsNow: ((tags.get(TAG.flags) ?? 0) & 8) !== 0 || ((tags.get(TAG.flags1) ?? 0) & 1) !== 0,
    hasTextRelocations: tags.has(TAG.textRelocations) || ((tags.get(TAG.flags) ?? 0) & 4) !== 0,
    // A file that says nothing of its stack gets one that can be executed.
    executableStack: stack === undefined || (stack.flags & EXECUTABLE) !== 0,
    symbols: [...symbols.keys()],
    /** The first bytes of a function that it offers. */
    codeOf: (name, length) => {
      const offset = symbols.get(name) ? offsetOf(symbols.get(name)) : bytes.length;
      return bytes.subarray(offset, offset + length);
    },
  };
}

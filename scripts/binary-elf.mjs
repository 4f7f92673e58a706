// Reads of an ELF file of 64 bits, little-endian, what the system's loader reads of it.

const SEGMENT = { dynamic: 2, note: 4, relro: 0x6474e552, stack: 0x6474e551 };
const TAG = {
  needed: 1,
  strings: 5,
  textRelocations: 22,
  flags: 30,
  flags1: 0x6ffffffb,
  versionsNeeded: 0x6ffffffe,
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
  const needed = [];
  const found = segments.find(({ type }) => type === SEGMENT.dynamic);
  for (let at = found?.offset ?? 0; at < (found ? found.offset + found.length : 0); at += 16) {
    const tag = number(bytes, at);
    if (tag === TAG.needed) needed.push(number(bytes, at + 8));
    tags.set(tag, number(bytes, at + 8));
  }
  return { tags, needed };
}

/** Versions of symbols that are asked for: `GLIBC_2.17`. Each library has a list of them. */
function versionsOf(bytes, tags, offsetOf, stringAt) {
  const versions = [];
  let library = tags.has(TAG.versionsNeeded) ? offsetOf(tags.get(TAG.versionsNeeded)) : -1;
  while (library >= 0) {
    let at = library + bytes.readUInt32LE(library + 8);
    for (let left = bytes.readUInt16LE(library + 2); left > 0; left -= 1) {
      versions.push(stringAt(bytes.readUInt32LE(at + 8)));
      at += bytes.readUInt32LE(at + 12);
    }
    const next = bytes.readUInt32LE(library + 12);
    library = next === 0 ? -1 : library + next;
  }
  return versions;
}

/** Sections say what is where; the loader does without them, but no linker leaves them out. */
function sectionsOf(bytes) {
  const first = number(bytes, 40);
  const at = (index) => first + index * bytes.readUInt16LE(58);
  const names = number(bytes, at(bytes.readUInt16LE(62)) + 24);
  return Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const name = names + bytes.readUInt32LE(at(index));
    return {
      name: bytes.toString('latin1', name, bytes.indexOf(0, name)),
      offset: number(bytes, at(index) + 24),
      length: number(bytes, at(index) + 32),
    };
  });
}

/** Symbols that are asked for or offered. Where their table ends the section alone says. */
function symbolsOf(bytes, sections, stringAt) {
  const symbols = new Map();
  const { offset, length } = sections.find(({ name }) => name === '.dynsym');
  for (let at = offset; at < offset + length; at += SYMBOL_BYTES) {
    symbols.set(stringAt(bytes.readUInt32LE(at)), number(bytes, at + 8));
  }
  return symbols;
}

/** Null, if it is none. */
export function readElf(bytes) {
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2 || bytes[5] !== 1) return null;
  const segments = segmentsOf(bytes);
  const { tags, needed } = dynamicOf(bytes, segments);
  const offsetOf = (address) => {
    const inside = ({ type, address: start, length }) =>
      type === 1 && address >= start && address < start + length;
    const segment = segments.find(inside);
    return address - segment.address + segment.offset;
  };
  const strings = offsetOf(tags.get(TAG.strings));
  const stringAt = (index) =>
    bytes.toString('latin1', strings + index, bytes.indexOf(0, strings + index));
  const sections = sectionsOf(bytes);
  const symbols = symbolsOf(bytes, sections, stringAt);
  const stack = segments.find(({ type }) => type === SEGMENT.stack);
  return {
    machine: MACHINES[bytes.readUInt16LE(18)] ?? 'another',
    stripped: !sections.some(({ name }) => name === '.symtab' || name === '.debug_info'),
    hasRelro: segments.some(({ type }) => type === SEGMENT.relro),
    bindsNow: ((tags.get(TAG.flags) ?? 0) & 8) !== 0 || ((tags.get(TAG.flags1) ?? 0) & 1) !== 0,
    hasTextRelocations: tags.has(TAG.textRelocations) || ((tags.get(TAG.flags) ?? 0) & 4) !== 0,
    // A file that says nothing of its stack gets one that can be executed.
    executableStack: stack === undefined || (stack.flags & EXECUTABLE) !== 0,
    symbols: [...symbols.keys()],
    libraries: needed.map(stringAt),
    versions: versionsOf(bytes, tags, offsetOf, stringAt),
    /** The first bytes of a function that it offers. */
    codeOf: (name, length) => {
      const offset = symbols.get(name) ? offsetOf(symbols.get(name)) : bytes.length;
      return bytes.subarray(offset, offset + length);
    },
  };
}

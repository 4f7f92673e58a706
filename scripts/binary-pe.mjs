// Reads of a Windows binary (PE of 64 bits) what the system's loader reads of it.

const IMPORT_DIRECTORY = 1;
const DEBUG_DIRECTORY = 6;
const DELAYED_IMPORT_DIRECTORY = 13;
const EXTENDED_CHARACTERISTICS = 20; // a kind of entry there
const MACHINES = { 0x8664: 'x64', 0xaa64: 'arm64' };

function sectionsOf(bytes, header, optional) {
  const table = optional + bytes.readUInt16LE(header + 20);
  return Array.from({ length: bytes.readUInt16LE(header + 6) }, (_, index) => {
    const at = table + index * 40;
    return {
      address: bytes.readUInt32LE(at + 12),
      length: bytes.readUInt32LE(at + 16),
      offset: bytes.readUInt32LE(at + 20),
    };
  });
}

/** Where in the file stands what is loaded to this address; -1, if nothing is. */
function offsetOf(sections, address) {
  const section = sections.find(
    ({ address: start, length }) => address >= start && address < start + length,
  );
  return address === 0 || !section ? -1 : address - section.address + section.offset;
}

/** Where one of the directories of the header stands, and how long it is. */
function directoryOf(bytes, sections, optional, index) {
  const at = optional + 112 + index * 8;
  return {
    first: offsetOf(sections, bytes.readUInt32LE(at)),
    length: bytes.readUInt32LE(at + 4),
  };
}

function extendedCharacteristics(bytes, sections, optional) {
  const { first, length } = directoryOf(bytes, sections, optional, DEBUG_DIRECTORY);
  for (let at = first; first >= 0 && at < first + length; at += 28) {
    if (bytes.readUInt32LE(at + 12) !== EXTENDED_CHARACTERISTICS) continue;
    return bytes.readUInt32LE(bytes.readUInt32LE(at + 24));
  }
  return 0;
}

/** The names of the libraries in a list that ends with a row of zeros. */
function librariesIn(bytes, sections, optional, { directory, rowBytes, nameAt }) {
  const { first } = directoryOf(bytes, sections, optional, directory);
  const libraries = [];
  for (let at = first; first >= 0 && bytes.readUInt32LE(at + nameAt) !== 0; at += rowBytes) {
    const name = offsetOf(sections, bytes.readUInt32LE(at + nameAt));
    libraries.push(bytes.toString('latin1', name, bytes.indexOf(0, name)));
  }
  return libraries;
}

/** Null, if it is none. */
export function readPe(bytes) {
  if (bytes.toString('latin1', 0, 2) !== 'MZ') return null;
  const header = bytes.readUInt32LE(60);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') return null;
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== 0x20b) return null;
  const flags = bytes.readUInt16LE(optional + 70);
  const sections = sectionsOf(bytes, header, optional);
  const imports = { directory: IMPORT_DIRECTORY, rowBytes: 20, nameAt: 12 };
  const delayed = { directory: DELAYED_IMPORT_DIRECTORY, rowBytes: 32, nameAt: 4 };
  return {
    machine: MACHINES[bytes.readUInt16LE(header + 4)] ?? 'another',
    // Of all linkers, Microsoft's alone notes before the header which tools were used.
    madeByMsvc: bytes.subarray(0, header).includes('Rich'),
    libraries: [imports, delayed].flatMap((list) => librariesIn(bytes, sections, optional, list)),
    stripped: bytes.readUInt32LE(header + 12) === 0, // no table of symbols
    canBeMoved: (bytes.readUInt16LE(header + 22) & 1) === 0, // relocations were not stripped
    highEntropy: (flags & 0x20) !== 0,
    dynamicBase: (flags & 0x40) !== 0,
    noExecution: (flags & 0x100) !== 0,
    controlFlowGuard: (flags & 0x4000) !== 0,
    shadowStacks: (extendedCharacteristics(bytes, sections, optional) & 1) !== 0,
  };
}

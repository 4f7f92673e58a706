// Reads of a Windows binary (PE of 64 bits) what the system's loader reads of it.

const DEBUG_DIRECTORY = 6;
const EXTENDED_CHARACTERISTICS = 20; // a kind of entry there
const MACHINES = { 0x8664: 'x64', 0xaa64: 'arm64' };
const FIRST_LINKER_OF_MSVC = 14; // GNU ld says 2

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

function extendedCharacteristics(bytes, header, optional) {
  const directory = optional + 112 + DEBUG_DIRECTORY * 8;
  const address = bytes.readUInt32LE(directory);
  const section = sectionsOf(bytes, header, optional).find(
    ({ address: start, length }) => address >= start && address < start + length,
  );
  if (address === 0 || !section) return 0;
  const first = address - section.address + section.offset;
  for (let at = first; at < first + bytes.readUInt32LE(directory + 4); at += 28) {
    if (bytes.readUInt32LE(at + 12) !== EXTENDED_CHARACTERISTICS) continue;
    return bytes.readUInt32LE(bytes.readUInt32LE(at + 24));
  }
  return 0;
}

/** Null, if it is none. */
export function readPe(bytes) {
  if (bytes.toString('latin1', 0, 2) !== 'MZ') return null;
  const header = bytes.readUInt32LE(60);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') return null;
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== 0x20b) return null;
  const flags = bytes.readUInt16LE(optional + 70);
  return {
    machine: MACHINES[bytes.readUInt16LE(header + 4)] ?? 'another',
    madeByMsvc: bytes[optional + 2] >= FIRST_LINKER_OF_MSVC,
    canBeMoved: (bytes.readUInt16LE(header + 22) & 1) === 0, // relocations were not stripped
    highEntropy: (flags & 0x20) !== 0,
    dynamicBase: (flags & 0x40) !== 0,
    noExecution: (flags & 0x100) !== 0,
    controlFlowGuard: (flags & 0x4000) !== 0,
    shadowStacks: (extendedCharacteristics(bytes, header, optional) & 1) !== 0,
  };
}

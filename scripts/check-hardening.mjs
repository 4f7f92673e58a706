// Holds the binaries against what the compiler and the linker were asked for to make an error in
// them harder to use (deps/common.gypi), by what is in the files, not by the flags.
//
//   node scripts/check-hardening.mjs [FILE…]
//
// Without files: what has been built here for this system, and the flags that MSVC would get,
// since no such build can be looked at on Linux. `npm run test:package` holds what is published.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { argv } from 'node:process';
import { readElf } from './binary-elf.mjs';
import { readPe } from './binary-pe.mjs';
import { gypFiles, root, runGyp } from './gyp.mjs';

/** Where an indirect call may land. On arm64 `bti c`, or `paciasp`, which also signs the return. */
const LANDINGS = { x64: ['f30f1efa'], arm64: ['5f2403d5', '3f2303d5'] };
/** The message of gcc's, and the value that zig's has on Windows, which says nothing. */
const STACK_PROTECTORS = ['stack smashing', Buffer.from('0000000000000aff', 'hex')];
const ENTRY = 'napi_register_module_v1';

/** Name and whether it holds, of each that applies to this file. */
function hardeningOf(file) {
  const bytes = readFileSync(file);
  const elf = readElf(bytes);
  if (elf) return hardeningOfElf(elf);
  const pe = readPe(bytes);
  if (pe) return hardeningOfPe(pe, bytes);
  throw new Error(`${file} is neither ELF nor PE of 64 bits`);
}

function hardeningOfElf(elf) {
  const fortified = elf.symbols.filter((name) => /^__(?!stack_chk).+_chk$/.test(name));
  const rows = [
    ['relocations are read-only (RELRO)', elf.hasRelro],
    ['symbols are bound at load (BIND_NOW)', elf.bindsNow],
    ['no relocation in code', !elf.hasTextRelocations],
    ['the stack is not executable', !elf.executableStack],
    ['stack protector', elf.symbols.includes('__stack_chk_fail')],
  ];
  // musl has no checked copies: they are the C library's, and not the compiler's.
  if (!elf.libraries.includes('libc.so')) {
    rows.push(['checked copies (_FORTIFY_SOURCE)', fortified.length > 0]);
  }
  // The note that says so for the whole file needs start files that say it, too; Debian's crti.o
  // does not, nor does zig's C++ library. So the code itself is looked at.
  const landings = LANDINGS[elf.machine];
  if (landings !== undefined) {
    const begin = elf.codeOf(ENTRY, 4).toString('hex');
    rows.push(['targets of indirect calls (CET, BTI)', landings.includes(begin)]);
  }
  return rows;
}

function hardeningOfPe(pe, bytes) {
  const rows = [
    ['address space layout (/DYNAMICBASE)', pe.dynamicBase && pe.canBeMoved],
    ['... of 64 bits (/HIGHENTROPYVA)', pe.highEntropy],
    ['no execution of data (/NXCOMPAT)', pe.noExecution],
  ];
  if (!pe.madeByMsvc) {
    return [...rows, ['stack protector', STACK_PROTECTORS.some((mark) => bytes.includes(mark))]];
  }
  rows.push(['Control Flow Guard (/guard:cf)', pe.controlFlowGuard]);
  if (pe.machine === 'x64') rows.push(['shadow stacks (/CETCOMPAT)', pe.shadowStacks]);
  return rows;
}

/** What gyp would hand to MSVC for each of our targets, with all conditions resolved. */
function settingsForMsvc() {
  const suffix = '.for-msvc';
  runGyp('gypd', { OS: 'win', mingw: '0', target_arch: 'x64' }, [`--suffix=${suffix}`]);
  // gyp writes a Python literal beside each of its files.
  const toJson =
    'import ast, json, sys; print(json.dumps(ast.literal_eval(open(sys.argv[1]).read())))';
  return gypFiles.flatMap((gypFile) => {
    const dump = join(root, gypFile.replace(/\.gyp$/, `${suffix}.gypd`));
    const python = process.env.PYTHON ?? 'python3';
    const { targets } = JSON.parse(
      execFileSync(python, ['-c', toJson, dump], { encoding: 'utf8' }),
    );
    rmSync(dump);
    return targets.map((target) => ({
      name: target.target_name,
      compiler: target.configurations.Release.msvs_settings.VCCLCompilerTool,
      linker: target.configurations.Release.msvs_settings.VCLinkerTool,
    }));
  });
}

const hardeningForMsvc = ({ compiler, linker }) => [
  ['/GS', compiler.BufferSecurityCheck === 'true'],
  ['/guard:cf of the compiler', compiler.AdditionalOptions.includes('/guard:cf')],
  ['/guard:cf of the linker', linker.AdditionalOptions.includes('/guard:cf')],
  ['/DYNAMICBASE', Number(linker.RandomizedBaseAddress) === 2],
  ['/NXCOMPAT', Number(linker.DataExecutionPrevention) === 2],
  ['/HIGHENTROPYVA', linker.AdditionalOptions.includes('/HIGHENTROPYVA')],
  ['/CETCOMPAT', linker.AdditionalOptions.includes('/CETCOMPAT')],
];

/** Prints what is missing, and says whether nothing is. */
function report(name, rows) {
  const missing = rows.filter(([, holds]) => !holds).map(([what]) => what);
  console.log(
    `${missing.length ? 'not ok' : 'ok'} - ${name}: ${rows.length - missing.length} of ${rows.length}`,
  );
  for (const what of missing) console.log(`  missing: ${what}`);
  return missing.length === 0;
}

/** Of all the files; false, if something is missing in one. */
export function checkHardening(files) {
  const good = files.map((file) => report(relative(root, file), hardeningOf(file)));
  return !good.includes(false);
}

if (resolve(argv[1]) === import.meta.filename) {
  const asked = argv.slice(2).map((file) => resolve(file));
  const files = asked.length ? asked : [join(root, 'build/Release/iocp_net.node')];
  let good = checkHardening(files);
  if (asked.length === 0) {
    for (const target of settingsForMsvc()) {
      good = report(`MSVC, ${target.name}`, hardeningForMsvc(target)) && good;
    }
  }
  process.exitCode = good ? 0 : 1;
}

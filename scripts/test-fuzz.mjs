// Gives the core arbitrary input, under AddressSanitizer and UndefinedBehaviorSanitizer.
//
//   node scripts/test-fuzz.mjs [--seconds N] [--only NAME] [--seed N]
//
// Each file of deps/completion-port/fuzz is a program of libFuzzer's, which needs clang. Inputs worth
// keeping are in fuzz/corpus/NAME; what is found beside them stays in build/fuzz. An input that breaks
// something is written there, too, and printed. Ends with "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { env } from 'node:process';
import { parseArgs } from 'node:util';
import { headersIn, root } from './gyp.mjs';
import { runProgram } from './run-program.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
  },
});
const compiler = env.CLANGXX ?? 'clang++';
const core = join(root, 'deps/completion-port');
const made = join(root, 'build/fuzz');
const sanitizers = 'address,undefined';
const flags = [
  ...['-std=c++20', '-O1', '-g', '-Wall', '-Wextra', '-fno-omit-frame-pointer'],
  ...['-fno-sanitize-recover=undefined', `-I${join(core, 'include')}`, `-I${join(core, 'src')}`],
];

const isThere = () => {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const listed = (folder) =>
  execFileSync(process.execPath, ['../list-sources.mjs', 'linux', folder], {
    cwd: core,
    encoding: 'utf8',
  })
    .trim()
    .split('\n');

const changed = (file) => statSync(file).mtimeMs;
const headers = headersIn(['include', 'src'].map((name) => `deps/completion-port/${name}`));

/** The object of one source, compiled where that or a header is newer. */
function compile(source, ...more) {
  const object = join(made, 'objects', `${source.replaceAll('/', '-')}.o`);
  const inputs = [join(core, source), ...headers];
  if (existsSync(object) && inputs.every((file) => changed(file) < changed(object))) return object;
  execFileSync(compiler, [...flags, ...more, '-c', join(core, source), '-o', object], {
    stdio: 'inherit',
  });
  return object;
}

/** The program of one file in `fuzz`. */
function build(source, objects) {
  const program = join(made, source.replace(/^fuzz\/(.*)_fuzz\.cc$/, '$1'));
  const own = compile(source, `-fsanitize=fuzzer-no-link,${sanitizers}`);
  const link = [`-fsanitize=fuzzer,${sanitizers}`, '-pthread', own, ...objects, '-o', program];
  execFileSync(compiler, link, { stdio: 'inherit' });
  return program;
}

async function fuzz(program) {
  const name = relative(made, program);
  const found = join(made, 'found', name);
  mkdirSync(found, { recursive: true });
  const kept = join(core, 'fuzz/corpus', name);
  const ended = await runProgram({
    program,
    args: [
      `-max_total_time=${values.seconds}`,
      `-seed=${values.seed}`,
      ...['-max_len=512', '-timeout=10', '-print_final_stats=1'],
      `-artifact_prefix=${join(made, `${name}-`)}`,
      found,
      ...(existsSync(kept) ? [kept] : []),
    ],
    cwd: made,
    env: { ...env, ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
    timeout: Number(values.seconds) + 60,
    scratch: made,
  });
  const [, runs = '0'] = /number_of_executed_units: *(\d+)/.exec(ended.stderr) ?? [];
  const good = ended.code === 0 && Number(runs) > 0;
  console.log(`${good ? 'ok' : 'not ok'} - ${name}: ${runs} inputs, seed ${values.seed}`);
  if (!good) console.log(ended.stderr.slice(-6000).replace(/^/gm, '  | '));
  return good;
}

async function main() {
  if (process.platform !== 'linux' || !isThere()) {
    return console.log(`ok - # SKIP fuzzing needs ${compiler} (apt-get install clang), on Linux`);
  }
  mkdirSync(join(made, 'objects'), { recursive: true });
  const objects = listed('src').map((source) =>
    compile(source, `-fsanitize=fuzzer-no-link,${sanitizers}`),
  );
  const total = { passed: 0, failed: 0 };
  for (const source of listed('fuzz').filter((file) => file.includes(values.only))) {
    total[(await fuzz(build(source, objects))) ? 'passed' : 'failed'] += 1;
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

await main();

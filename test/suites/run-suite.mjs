// Runs one suite on node:net and with iocp-net/register, and says how the results differ.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/gyp.mjs';
import { runProgram } from '../../scripts/run-program.mjs';
import { Daemon } from '../programs/daemons/daemon.mjs';
import { environment } from './checkout.mjs';
import { compare, parseResults, parseWitness, splitFlaky } from './results.mjs';
import { runners } from './suites.mjs';

const preloads = ['dist/entry/register.cjs', 'test/suites/witness.cjs'];

/** By the environment, so that every process of the suite has it. */
const registerOptions = () =>
  preloads.map((file) => `--require "${join(root, file).replaceAll('\\', '\\\\')}"`).join(' ');

const textOf = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

export class SuiteRun {
  #suite;
  #folder;
  #how;
  #args;
  #all;

  /**
   * @param {import('./suites.mjs').Suite} suite
   * @param {string} folder  its copy
   * @param {object} how  `node`, `timeout` in seconds, `scratch`, `logs`, `control`
   */
  constructor(suite, folder, how) {
    this.#suite = suite;
    this.#folder = folder;
    this.#how = how;
    this.#args = suite.args(folder);
    this.#all = suite.files(folder);
  }

  async compare() {
    const plain = await this.#run('plain', this.#all);
    const ours = await this.#run('register', this.#all);
    const { differences, count } = compare(plain.results, ours.results);
    const { lasting, flaky } = await this.#repeat(differences);
    const late = [plain, ours].filter(({ timedOut }) => timedOut).map(({ mode }) => mode);
    return { count, differences: lasting, flaky, late, witness: ours.witness };
  }

  /** Once more, the files that have differences. */
  async #repeat(differences) {
    if (differences.length === 0) return { lasting: [], flaky: [] };
    const named = new Set(differences.map(({ file }) => file));
    // The results of tests that come from a file beside them do not say who asked for these.
    const isAllKnown = [...named].every((file) => this.#all.includes(file));
    const files = isAllKnown ? [...named] : this.#all;
    const plain = await this.#run('plain-again', files);
    const ours = await this.#run('register-again', files);
    return splitFlaky(differences, plain.results, ours.results);
  }

  async #run(mode, files) {
    const { daemon } = this.#suite;
    const running = daemon && (await Daemon.start(daemon));
    try {
      return await this.#runFiles(mode, files);
    } finally {
      await running?.remove();
    }
  }

  async #runFiles(mode, files) {
    const { node, timeout, scratch, control } = this.#how;
    const [resultsFile, witnessFile] = ['results', 'witness'].map((name) => join(scratch, name));
    for (const file of [resultsFile, witnessFile]) rmSync(file, { force: true });
    const isOurs = mode.startsWith('register') && !control;
    const ended = await runProgram({
      program: node,
      args: runners[this.#suite.runner](this.#args, files),
      cwd: this.#folder,
      env: {
        ...environment(node),
        ...this.#suite.env,
        IOCP_NET_SUITE_RESULTS: resultsFile,
        ...(isOurs && { NODE_OPTIONS: registerOptions(), IOCP_NET_SUITE_WITNESS: witnessFile }),
      },
      timeout,
      scratch,
    });
    this.#keepLog(mode, ended);
    const results = parseResults(textOf(resultsFile), this.#folder);
    if (results.size === 0) throw new Error(`no result: ${ended.stderr.slice(-2000)}`);
    return { mode, results, timedOut: ended.timedOut, witness: parseWitness(textOf(witnessFile)) };
  }

  #keepLog(mode, { code, signal, stdout, stderr }) {
    const { logs } = this.#how;
    if (logs === undefined) return;
    mkdirSync(logs, { recursive: true });
    const text = `exit ${code ?? signal}\n--- stderr\n${stderr}\n--- stdout\n${stdout}`;
    writeFileSync(join(logs, `${this.#suite.name}-${mode}.log`), text);
  }
}

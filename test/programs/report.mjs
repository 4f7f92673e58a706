// One line for each program, and the counts of all.
import { within } from './program.mjs';

export const total = { passed: 0, failed: 0, missing: 0, lines: 0 };

/** The checks of one program. Nothing stops at the first that fails. */
export class Report {
  #started = Date.now();
  #passed = 0;
  #failures = [];
  #skipped = [];
  #name;
  #checkMs;

  constructor(name, checkMs) {
    this.#name = name;
    this.#checkMs = checkMs;
  }

  check = async (name, work) => {
    try {
      await within(this.#checkMs, name, work());
      this.pass();
    } catch (error) {
      this.fail(name, error.stack);
    }
  };

  pass() {
    this.#passed++;
  }

  fail(name, why) {
    this.#failures.push(`${name}: ${why}`);
  }

  skip = (name, reason) => {
    total.missing++;
    this.#skipped.push(`${name} (${reason})`);
  };

  print() {
    const failed = this.#failures.length;
    total.passed += this.#passed;
    total.failed += failed;
    total.lines++;
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(1);
    const skipped = this.#skipped.length > 0 ? `, without ${this.#skipped.join(', ')}` : '';
    console.log(
      `${failed > 0 ? 'not ok' : 'ok'} ${total.lines} - ${this.#name}: ${this.#passed} passed, ` +
        `${failed} failed${skipped} in ${seconds} s`,
    );
    for (const failure of this.#failures) console.log(failure.replace(/^/gm, '  # '));
  }
}

/** What cannot run here is said, not passed over. */
export function missing(name, reason) {
  total.missing++;
  console.log(`ok ${++total.lines} - ${name} # SKIP ${reason}`);
}

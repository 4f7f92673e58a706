// What passed and what failed, as lines of TAP without numbers.
export class Report {
  passed = 0;
  failed = 0;

  /** Runs a check; what it throws is its failure. */
  async check(name, run) {
    try {
      await run();
      this.passed += 1;
      console.log(`ok - ${name}`);
    } catch (error) {
      this.failed += 1;
      const words = error instanceof Error ? error.message : String(error);
      console.log(`not ok - ${name}\n${words.replace(/^/gm, '  | ')}`);
    }
  }

  /** Prints the total, as the last line. */
  end() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed > 0 || this.passed === 0 ? 1 : 0;
  }
}

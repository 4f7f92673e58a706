'use strict';

// Tells mocha's results to the file that IOCP_NET_SUITE_RESULTS names, a line for each test. As
// they come, so that those of a run that is ended are known.

const { appendFileSync } = require('fs');

const file = process.env.IOCP_NET_SUITE_RESULTS;

module.exports = class {
  constructor(runner) {
    const tell = (outcome) => (test, error) => {
      const result = { file: test.file, path: test.titlePath(), outcome, why: error?.message };
      appendFileSync(file, `${JSON.stringify(result)}\n`);
    };
    runner.on('pass', tell('pass'));
    runner.on('fail', tell('fail')); // of hooks, too
    runner.on('pending', tell('skip'));
  }
};

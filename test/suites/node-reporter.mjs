// The same for node:test, whose results have a depth and no path: the path is that of the starts.
import { appendFileSync } from 'node:fs';

const file = process.env.IOCP_NET_SUITE_RESULTS;

const failure = ({ details }) => details.error?.cause ?? details.error;

/** Of a test that failed because those within it did, those say it. */
function outcomeOf(type, { skip, todo, details }) {
  if (skip !== undefined || todo !== undefined) return 'skip';
  const failed = type === 'test:fail' && details.error?.failureType !== 'subtestsFailed';
  return failed ? 'fail' : 'pass';
}

/** A suite is no test, unless its hooks fail. */
const isTest = (outcome, { details }) => outcome === 'fail' || details.type !== 'suite';

export default async function* (source) {
  const path = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path.push(data.name);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const outcome = outcomeOf(type, data);
    if (!isTest(outcome, data)) continue;
    const names = [...path.slice(0, data.nesting), data.name];
    const why = outcome === 'fail' ? String(failure(data)?.message ?? failure(data)) : undefined;
    appendFileSync(file, `${JSON.stringify({ file: data.file, path: names, outcome, why })}\n`);
  }
  yield '';
}

/** .ci/parts.sh: what it makes of parts that fail, hang or say nothing, alone and in lanes. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import t from 'tap';

interface Run {
  status: number | null;
  printed: string;
  lastLine: string | undefined;
}

const root = dirname(require.resolve('iocp-net/package.json'));
t.setTimeout(170_000); // each part starts programs

const skip = process.platform === 'win32' && 'a script for Linux';

/** Parts as a program of the checks would be: it prints, and ends. */
const functions = `
good() { echo "$1 passed, 0 failed"; }
export -f good
`;

function run(script: string, env: NodeJS.ProcessEnv = {}): Run {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `set -u -o pipefail\n. .ci/parts.sh\n${functions}\n${script}`],
    { cwd: root, env: { ...process.env, ...env }, encoding: 'utf8', timeout: 50_000 },
  );
  return { status, printed: stdout + stderr, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

t.test('counts add up, in lanes and beside them', { skip }, (test) => {
  const { status, printed, lastLine } = run(`
    first() { part a bash -c 'good 2'; part b bash -c 'good 3'; }
    second() { part c bash -c 'good 4'; }
    part before bash -c 'good 10'
    lane one first
    lane two second
    join_lanes
    checks=1
    part after true
    total 5`);
  test.equal(lastLine, '20 passed, 0 failed', printed);
  test.equal(status, 0);
  test.match(printed, /in lane one, b: 3 passed, 0 failed \(exit code 0; \d+ s, \d+ s of CPU\)/);
  test.end();
});

t.test('what a lane printed stands together', { skip }, (test) => {
  const { printed } = run(`
    slow() { part slow bash -c 'echo slow 1; sleep 1; echo slow 2; good 1'; }
    quick() { part quick bash -c 'sleep 0.5; echo quick 1; good 1'; }
    lane one slow
    lane two quick
    join_lanes
    total 2`);
  test.match(printed, /slow 1\nslow 2\n1 passed, 0 failed\n/);
  test.match(printed, /quick 1\n1 passed, 0 failed\n/);
  test.end();
});

t.test('lanes run side by side', { skip }, (test) => {
  // Each waits for the other.
  const meet = (own: string, other: string) =>
    `part ${own} bash -c "touch '$logs/${own}'; until [ -e '$logs/${other}' ]; do sleep 0.1; done; good 1"`;
  const { lastLine, printed } = run(
    `
    first() { ${meet('a', 'b')}; }
    second() { ${meet('b', 'a')}; }
    lane one first
    lane two second
    join_lanes
    total 2`,
    { CI_PART_SECONDS: '20' },
  );
  test.equal(lastLine, '2 passed, 0 failed', printed);
  test.end();
});

t.test('a part that fails is counted, and shown once more at the end', { skip }, (test) => {
  const { status, printed, lastLine } = run(`
    first() {
      part bad bash -c 'printf "ok 1 - x\\nnot ok 2 - y\\n1..2\\n"; exit 1'
      part good bash -c 'good 2'
    }
    lane one first
    join_lanes
    total 2`);
  test.equal(lastLine, '3 passed, 1 failed', printed);
  test.equal(status, 1);
  test.match(printed.slice(printed.indexOf('== total')), /bad:not ok 2 - y/);
  test.end();
});

t.test('an exit code is a failure, whatever was counted', { skip }, (test) => {
  const { status, lastLine } = run(`part bad bash -c 'good 2; exit 3'; total 1`);
  test.equal(lastLine, '2 passed, 1 failed');
  test.equal(status, 1);
  test.end();
});

t.test('a part without counts has failed, unless it is one check', { skip }, (test) => {
  test.equal(run('part silent true; total 1').lastLine, '0 passed, 1 failed');
  test.equal(run('checks=1; part silent true; total 1').lastLine, '1 passed, 0 failed');
  test.equal(run('checks=1; part silent false; total 1').lastLine, '0 passed, 1 failed');
  test.end();
});

t.test('a part that hangs ends by its own time limit, and the next follows', { skip }, (test) => {
  const script = `
    hanging() {
      part hangs bash -c 'echo begun; sleep 40'
      part next bash -c 'good 1'
    }
    beside() { part beside bash -c 'good 1'; }
    lane one hanging
    lane two beside
    join_lanes
    total 3`;
  const { status, lastLine, printed } = run(script, { CI_PART_SECONDS: '1' });
  test.equal(lastLine, '2 passed, 1 failed', printed);
  test.match(printed, /hangs: 0 passed, 1 failed \(exit code 124/);
  test.equal(status, 1);
  test.end();
});

t.test('nobody waits for what a part left behind', { skip }, (test) => {
  const started = Date.now();
  const { lastLine } = run(`
    first() { part a bash -c 'setsid sleep 15 & good 1'; }
    lane one first
    join_lanes
    part b bash -c 'setsid sleep 15 & good 1'
    total 2`);
  test.equal(lastLine, '2 passed, 0 failed');
  test.ok(Date.now() - started < 14_000);
  test.end();
});

t.test('a lane that ends early is seen', { skip }, (test) => {
  const { status, printed, lastLine } = run(`
    first() { part a bash -c 'good 1'; exit 0; part b bash -c 'good 1'; }
    lane one first
    join_lanes
    total 2`);
  test.equal(lastLine, '1 passed, 0 failed');
  test.match(printed, /1 of 2 parts have run/);
  test.equal(status, 1);
  test.end();
});

t.test('CPU seconds are those of the part, in a lane, too', { skip }, (test) => {
  const busy = `node -e "for (let i = 0; i % 1e6 || process.cpuUsage().user < 1.2e6; i++);"; good 1`;
  const { printed } = run(`
    first() { part busy bash -c '${busy}'; part idle bash -c 'sleep 1; good 1'; }
    lane one first
    join_lanes
    part idle-too bash -c 'good 1'
    total 3`);
  const cpuOf = (name: string) =>
    Number(new RegExp(`^== ${name}: .*, (\\d+) s of CPU`, 'm').exec(printed)?.[1]);
  test.ok(cpuOf('busy') >= 1, printed);
  test.ok(cpuOf('idle') < 1, printed);
  test.ok(cpuOf('idle-too') < 1, printed);
  test.end();
});

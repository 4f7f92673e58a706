import t from 'tap';
import { execFileSync } from 'node:child_process';

const coversNet = process.allowedNodeEnvironmentFlags.has('--allow-net');

const program = (module: string): string => `
const net = require(${JSON.stringify(module)});
const seen = {};
const note = (name) => (error) => (seen[name] = [error.code, error.message, error.syscall]);
function attempt(name, act) {
  try {
    act().on('error', note(name));
  } catch (error) {
    note(name + ' throws')(error);
  }
}
attempt('connect', () => net.connect(1, '127.0.0.1'));
attempt('connect to a name', () => net.connect(1, 'localhost'));
attempt('a socket that was made before', () => new net.Socket().connect(1, '127.0.0.1'));
attempt('listen', () => net.createServer().listen(0));
process.on('exit', () => console.log(JSON.stringify(seen)));
`;

function runDenied(module: string): unknown {
  const flags = ['--permission', '--allow-addons', '--allow-fs-read=*', '--no-warnings'];
  const output = execFileSync(process.execPath, [...flags, '-e', program(module)], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return JSON.parse(output);
}

t.test(
  'without permission for the network, connect and listen are refused as by node:net',
  { skip: coversNet ? false : 'this Node has no permission for the network' },
  async (test) => {
    const refused = runDenied(require.resolve('iocp-net')) as Record<string, string[]>;
    test.strictSame(refused, runDenied('node:net'));
    test.equal(Object.keys(refused).length, 4);
    for (const [code] of Object.values(refused)) test.equal(code, 'ERR_ACCESS_DENIED');
  },
);

// Runs a block of JavaScript: to its end, or as a server that is asked something and stopped.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/free-port.mjs';
import { expectCore, expectGoodEnd, start } from './child.mjs';

/** A port that a page names. */
const PORT = /(?<=\b(?:listen|connect)\(|port: |127\.0\.0\.1:|localhost:)\d{2,5}\b/g;

/** The code with free ports for those that it names, and which stands for which. */
async function withFreePorts(code) {
  const ports = new Map();
  for (const [named] of code.matchAll(PORT)) {
    if (!ports.has(named)) ports.set(named, await freePort());
  }
  return { text: code.replace(PORT, (named) => ports.get(named)), ports };
}

const drivers = {
  async echo(port) {
    const socket = connect(port, '127.0.0.1');
    socket.end('ping');
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    if (answer !== 'ping') throw new Error(`it answered ${JSON.stringify(answer)}, not "ping"`);
  },
  async http(port) {
    const response = await fetch(`http://127.0.0.1:${port}`);
    if (response.status !== 200) throw new Error(`it answered with ${response.status}`);
    await response.text();
  },
};

/** Until somebody listens there; a server that has ended never will. */
async function listening(port, child) {
  let hasEnded = false;
  void child.ended.then(() => (hasEnded = true));
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    if (hasEnded) throw new Error(`nobody listened:\n${child.printed()}`);
    await sleep(50);
  }
}

async function drive(child, how, ports) {
  const [driver, named] = how.split(' ');
  if (!Object.hasOwn(drivers, driver)) throw new Error(`there is no driver ${driver}`);
  const port = ports.get(named);
  if (port === undefined) throw new Error(`the block has no port ${named}`);
  await listening(port, child);
  await drivers[driver](port);
  child.stop();
  await child.ended;
  expectCore(child);
}

export async function runJs({ code, markers }, { folder, name }) {
  const { text, ports } = await withFreePorts(code);
  const isEsm = /^\s*(?:import|export)\b|^(?:const .* = )?await /m.test(text);
  const file = join(folder, `${name}.${isEsm ? 'mjs' : 'cjs'}`);
  writeFileSync(file, text);
  const child = start(process.execPath, [file], { cwd: folder });
  try {
    const how = markers.get('drive');
    if (how === undefined) await expectGoodEnd(child);
    else await drive(child, how, ports);
  } finally {
    child.stop();
  }
}

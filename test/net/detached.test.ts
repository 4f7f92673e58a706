/** Writes that wait while their memory is taken away: transferred, or that of a WebAssembly that grows. */
import t from 'tap';
import { load, run } from '../support/child';

/** Small writes behind a large one, singly or corked; what their callbacks and the process get. */
const program = (net: string, cork: boolean): string => `
  ${net}
  const said = [];
  process.on('uncaughtException', ({ message }) => said.push(message));
  const note = (name) => (error) => said.push(name + ' ' + (error?.code ?? 'done'));
  const server = net.createServer((peer) => {
    let bytes = 0;
    peer.on('data', (chunk) => (bytes += chunk.length));
    peer.on('end', () => {
      console.log(JSON.stringify({ bytes, said }));
      process.exit();
    });
    peer.pause();
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 10 });
    const buffer = Buffer.from(new ArrayBuffer(1000));
    socket.write(Buffer.alloc(8 << 20), note('large'));
    if (${cork}) socket.cork();
    socket.write(new Uint8Array(memory.buffer, 0, 50), note('grown'));
    socket.write(buffer, note('transferred'));
    socket.write('end', note('text'));
    memory.grow(1);
    structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    if (${cork}) socket.uncork();
    socket.end();
    setTimeout(() => peer.resume(), 50);
  });
  let socket;
  server.listen(0, '127.0.0.1', () => {
    socket = net.connect(server.address().port, '127.0.0.1');
    socket.on('error', note('socket'));
  });`;

for (const cork of [false, true]) {
  t.test(
    `what is left is sent, nobody is harmed (${cork ? 'corked' : 'one by one'})`,
    async (test) => {
      const expected = await run(program("const net = require('node:net');", cork));
      const actual = await run(program(load('net'), cork));
      test.equal(actual.stdout, expected.stdout);
      test.match(actual.stdout, /text done/);
    },
  );
}

/** Of a large write a part waits while its memory goes, and what had it is collected. */
const largeProgram = (net: string, takeAway: string): string => `
  ${net}
  const { MessageChannel } = require('node:worker_threads');
  const said = [];
  const server = net.createServer((peer) => {
    peer.on('error', () => {}).on('close', () => {
      console.log(JSON.stringify(said));
      process.exit();
    });
    peer.pause();
    const growing = new WebAssembly.Memory({ initial: 256, maximum: 1024 });
    const memory = new ArrayBuffer(16 << 20);
    const bytes = new Uint8Array(${takeAway.startsWith('growing') ? 'growing.buffer' : 'memory'});
    socket.on('error', ({ code }) => said.push('error ' + code));
    socket.write(bytes, (error) => {
      said.push('written ' + (error?.code ?? 'all'));
      socket.end();
    });
    setTimeout(() => {
      ${takeAway};
      for (let i = 0; i < 4; i++) globalThis.gc();
      peer.resume();
    }, 100);
  });
  let socket;
  server.listen(0, '127.0.0.1', () => (socket = net.connect(server.address().port, '127.0.0.1')));`;

const waysToTakeAway = {
  'to a copy': 'structuredClone(memory, { transfer: [memory] })',
  'to a port that closes': `
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(memory, [memory]);
      port1.close();
      port2.close()`,
  'by growing': 'growing.grow(16)',
};

for (const [name, takeAway] of Object.entries(waysToTakeAway)) {
  t.test(`a large write whose memory goes ${name} ends as with node:net`, async (test) => {
    const ended = (net: string) =>
      run(largeProgram(net, takeAway), undefined, { execArgv: ['--expose-gc'] });
    const expected = await ended("const net = require('node:net');");
    const actual = await ended(load('net'));
    test.equal(actual.stdout, expected.stdout);
    test.equal(actual.code, expected.code);
    test.match(actual.stdout, /written/);
  });
}

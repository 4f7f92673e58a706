// Calls of all four kinds from a gRPC client on Node's own net.
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folder } from '../program.mjs';

const mib = 1024 * 1024;
const definition = loadSync(join(folder, 'servers/echo.proto'));
const { Echo } = loadPackageDefinition(definition).programs;
const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

const all = async (call) => {
  const found = [];
  for await (const each of call) found.push(each);
  return found;
};

async function once(client, count, bytes) {
  const call = promisify(client.Once.bind(client));
  await Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const content = randomBytes(bytes);
      assert.deepEqual(await call({ number, content }), { number, content });
    }),
  );
}

async function count(client, calls, range) {
  const expected = Array.from({ length: range.count }, (_, number) => ({
    number,
    content: Buffer.alloc(range.bytes, number),
  }));
  await Promise.all(
    Array.from({ length: calls }, async () => {
      assert.deepEqual(await all(client.Count(range)), expected);
    }),
  );
}

async function sum(client) {
  const parts = Array.from({ length: 500 }, () => randomBytes(1000));
  const answer = await new Promise((resolve, reject) => {
    const call = client.Sum((error, text) => (error ? reject(error) : resolve(text)));
    parts.forEach((content, number) => call.write({ number, content }));
    call.end();
  });
  assert.deepEqual(answer, { number: (500 * 499) / 2, content: Buffer.concat(parts) });
}

async function talk(client) {
  const call = client.Talk();
  const back = call[Symbol.asyncIterator]();
  for (let number = 0; number < 200; number++) {
    const content = randomBytes(number * 37);
    call.write({ number, content });
    assert.deepEqual((await back.next()).value, { number, content });
  }
  call.end();
  assert.equal((await back.next()).done, true);
}

async function fail(client) {
  const call = promisify(client.Fail.bind(client));
  await assert.rejects(call({ content: Buffer.from('not now') }), {
    code: status.FAILED_PRECONDITION,
    details: 'not now',
  });
}

/** Calls that are given up leave the connection to the others. */
async function cancel(client) {
  const call = client.Count({ count: 1_000_000, bytes: 1000 });
  const ended = assert.rejects(all(call), { code: status.CANCELLED });
  call.once('data', () => call.cancel());
  await ended;
  await once(client, 10, 100);
}

export async function grpcTraffic({ port, check }) {
  const client = new Echo(`127.0.0.1:${port}`, credentials.createInsecure(), unlimited);
  try {
    await check('unary', () => once(client, 500, 100));
    await check('unary, 4 MiB', () => once(client, 4, 4 * mib));
    await check('the server streams', () => count(client, 10, { count: 2000, bytes: 100 }));
    await check('the server streams 32 MiB', () => count(client, 1, { count: 512, bytes: 65536 }));
    await check('the client streams', () => sum(client));
    await check('both stream', () => talk(client));
    await check('an error', () => fail(client));
    await check('a call is cancelled', () => cancel(client));
  } finally {
    client.close();
  }
}

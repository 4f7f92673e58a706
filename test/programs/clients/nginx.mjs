// What every HTTP client is asked to do with nginx. `get` answers with
// `{ status, body }`, and may be told what to call when the answer has begun.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export async function askNginx(place, { get, secureGet }) {
  const { port, tlsPort, folder, check, record, stopServer, startServer } = place;
  const origin = `http://127.0.0.1:${port}`;
  const secureOrigin = `https://localhost:${tlsPort}`;
  const expected = sha256(readFileSync(join(folder, 'big')));

  async function items(how, from) {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, n) => how(`${from}/item/${n}`)),
    );
    answers.forEach(({ status, body }, n) => {
      assert.deepEqual([status, String(body)], [200, `item ${n}`]);
    });
  }

  async function big(how, from) {
    const { status, body } = await how(`${from}/big`);
    assert.equal(status, 200);
    assert.equal(sha256(body), expected);
  }

  async function restart() {
    await get(`${origin}/item/1`);
    let begun;
    const hasBegun = new Promise((resolve) => (begun = resolve));
    // It would take minutes.
    const download = get(`${origin}/slow`, begun).catch((error) => error);
    await hasBegun;
    await stopServer();
    await record('download under way', await download);
    // The end of kept connections has come, too: one of them would be told of a reset.
    await setTimeout(300);
    await record('request afterwards', await get(`${origin}/item/2`).catch((error) => error));
    await startServer();
    await items(get, origin);
  }

  await check('500 requests', () => items(get, origin));
  await check('a file of 32 MiB', () => big(get, origin));
  await check('500 requests over TLS', () => items(secureGet, secureOrigin));
  await check('a file of 32 MiB over TLS', () => big(secureGet, secureOrigin));
  await check('the server restarts', restart);
}

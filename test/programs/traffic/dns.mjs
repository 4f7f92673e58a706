// Node's resolver (c-ares), whose sockets are neither Node's nor ours.
import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';

const numbersTo = (count) => Array.from({ length: count }, (_, n) => n);

async function manyAtOnce(resolver) {
  for (let round = 0; round < 10; round++) {
    const numbers = numbersTo(50).map((n) => round * 50 + n);
    const found = await Promise.all(numbers.map((n) => resolver.resolve4(`${n}.example`)));
    assert.deepEqual(
      found,
      numbers.map((n) => [`10.0.${n >> 8}.${n & 255}`]),
    );
  }
}

async function ofEachKind(resolver) {
  assert.deepEqual(await resolver.resolve6('255.example'), ['fd00::ff']);
  assert.deepEqual(await resolver.resolveTxt('7.example'), [['text 7']]);
  assert.deepEqual(await resolver.resolveMx('10.example'), [
    { priority: 10, exchange: 'mail10.example' },
  ]);
  const [{ weight, port, name }] = await resolver.resolveSrv('8.example');
  assert.deepEqual([weight, port, name], [8, 5008, 'host.example']);
}

/** In one datagram, and where that is too small, asked again over TCP. */
async function many(resolver, count) {
  const found = await resolver.resolveTxt(`many-${count}.example`);
  assert.deepEqual(
    found.map(([text]) => text).sort(),
    numbersTo(count)
      .map((n) => `text ${n}`)
      .sort(),
  );
}

export async function dnsTraffic({ port, check }) {
  const resolver = new Resolver({ timeout: 2000 });
  resolver.setServers([`127.0.0.1:${port}`]);
  await check('500 names, 50 at once', () => manyAtOnce(resolver));
  await check('records of each kind', () => ofEachKind(resolver));
  await check('15 answers', () => many(resolver, 15));
  await check('500 answers', () => many(resolver, 500));
  await check('a name that is absent', () =>
    assert.rejects(resolver.resolve4('absent.example'), { code: 'ENOTFOUND' }),
  );
}

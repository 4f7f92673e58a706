// Large uploads and downloads, from node:http on Node's own net; the server's memory stays flat.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { bytesUpTo } from '../bytes.mjs';

const mib = 1024 * 1024;
const flatBytes = 64 * mib;
const warmUpBytes = 64 * mib;

/** Of what has been sent before; large ones are made once. */
const hashes = new Map();

function hashOf(bytes) {
  if (!hashes.has(bytes)) {
    const hash = createHash('sha256');
    for (const block of bytesUpTo(bytes)) hash.update(block);
    hashes.set(bytes, hash.digest('hex'));
  }
  return hashes.get(bytes);
}

function ask(how, path, options) {
  const { request } = how.secure ? https : http;
  const where = {
    port: how.port,
    host: '127.0.0.1',
    path,
    agent: false,
    rejectUnauthorized: false,
  };
  return request({ ...where, ...options });
}

async function upload(how, bytes) {
  const request = ask(how, '/upload', { method: 'POST', headers: { 'content-length': bytes } });
  const answered = once(request, 'response');
  await pipeline(bytesUpTo(bytes), request);
  const [response] = await answered;
  assert.equal(await text(response), hashOf(bytes));
}

async function download(how, bytes) {
  const request = ask(how, `/download?bytes=${bytes}`);
  request.end();
  const [response] = await once(request, 'response');
  const hash = createHash('sha256');
  await pipeline(response, hash);
  assert.equal(hash.digest('hex'), hashOf(bytes));
}

/** The most memory that the server has had while `work` ran. */
async function mostMemory(how, work) {
  let most = 0;
  const look = async () => (most = Math.max(most, (await how.state()).rss));
  const timer = setInterval(() => void look().catch(() => {}), 50);
  try {
    await work();
    await look();
  } finally {
    clearInterval(timer);
  }
  return most;
}

export async function bodiesTraffic(how) {
  const { check, full } = how;
  const bytes = full ? 4096 * mib : 256 * mib;
  for (const [name, send] of Object.entries({ upload, download })) {
    await check(`${name} of ${bytes / mib} MiB`, async () => {
      // What the process needs anyway: its buffers, its code.
      const before = await mostMemory(how, () => send(how, warmUpBytes));
      const most = await mostMemory(how, () => send(how, bytes));
      const more = most - before;
      assert.ok(more < flatBytes, `${Math.round(more / mib)} MiB more than ${before / mib}`);
    });
  }
}

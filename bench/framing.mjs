// Decoding frames: iocp-net/framing and packages of npm side by side.
//
//   node bench/framing.mjs [--quick] [--only FRAMING]
//
// Each row is a framing, a size of frames and one of chunks. Its arms take turns, round by round from
// the one and from the other end; ours runs twice in each, and how far the two are apart is the noise.
// Counted are frames per second of CPU, and a ratio says how many times those of the best other arm
// ours has. Ends with 2 where ours is slower beyond the noise.
import { join } from 'node:path';
import { argv, cpuUsage } from 'node:process';
import { parseArgs } from 'node:util';
import { median, timesApart } from '../dist/cli/noise.js';
import { installPackages } from '../scripts/npm-packages.mjs';

const { values: options } = parseArgs({
  args: argv.slice(2),
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
});

installPackages(join(import.meta.dirname, 'framing'));
const { framings } = await import('./framing/arms.mjs');

const frameSizes = [16, 256, 4096, 65_536];
const chunkSizes = [1024, 16_384, 65_536];
const rounds = options.quick ? 5 : 15;
/** Of one run: long enough for the clock, short enough to take turns often. */
const streamBytes = options.quick ? 1 << 20 : 1 << 22;
const LEAST_NOISE = 1.05;

/** Chunks in memory of their own, as a socket gives them, and how many frames they hold. */
function makeStream(encode, frameBytes, chunkBytes) {
  const frame = encode(Buffer.alloc(frameBytes, 'x'));
  const frames = Math.max(8, Math.floor(streamBytes / frame.length));
  const stream = Buffer.concat(Array(frames).fill(frame));
  const chunks = [];
  for (let at = 0; at < stream.length; at += chunkBytes) {
    chunks.push(Buffer.from(new Uint8Array(stream.subarray(at, at + chunkBytes)).buffer));
  }
  return { chunks, frames, frameBytes };
}

/** Seconds of CPU, which others on the machine disturb less; checks that every frame has come whole. */
async function time(arm, { chunks, frames, frameBytes }) {
  let seen = 0;
  let bytes = 0;
  const before = cpuUsage();
  await arm(chunks, (frame) => {
    seen++;
    bytes += frame.length ?? frame.byteLength;
  });
  const { user, system } = cpuUsage(before);
  if (seen !== frames || bytes !== frames * frameBytes) {
    throw new Error(`${seen} frames of ${frames}, ${bytes} bytes`);
  }
  return (user + system) / 1e6;
}

/** The seconds of all rounds, by arm. */
async function play(arms, stream) {
  const played = Object.entries({ ...arms, 'ours again': arms.ours });
  const times = Object.fromEntries(played.map(([name]) => [name, []]));
  for (const [, arm] of played) await time(arm, stream);
  for (let round = 0; round < rounds; round++) {
    for (const [name, arm] of round % 2 === 0 ? played : played.toReversed()) {
      times[name].push(await time(arm, stream));
    }
  }
  return times;
}

const isOurs = (name) => name.startsWith('ours');

function judge(times) {
  const [ours, again] = [median(times.ours), median(times['ours again'])];
  const noise = Math.max(LEAST_NOISE, timesApart(ours, again));
  const others = Object.keys(times).filter((name) => !isOurs(name));
  const best = Math.min(...others.map((name) => median(times[name])));
  const ratio = best / Math.sqrt(ours * again);
  return { noise, ratio, isSlower: ratio < 1 / noise };
}

function print(title, times, { frames, frameBytes }, { ratio, noise, isSlower }) {
  const arms = Object.entries(times).map(([name, all]) => {
    const seconds = median(all);
    const rate = frames / seconds;
    return `${name} ${(rate / 1e6).toFixed(2)} M/s (${((rate * frameBytes) / 1e6).toFixed(0)} MB/s)`;
  });
  const compared = Number.isFinite(ratio)
    ? `${ratio.toFixed(2)} times the best other, noise ${((noise - 1) * 100).toFixed(0)} %${isSlower ? ', SLOWER' : ''}`
    : 'nothing to compare with';
  console.log(`${title}: ${compared}\n    ${arms.join('; ')}`);
}

let slower = 0;
let compared = 0;
for (const [name, { encode, ...kinds }] of Object.entries(framings)) {
  if (options.only !== undefined && options.only !== name) continue;
  for (const frameBytes of frameSizes) {
    for (const chunkBytes of chunkSizes) {
      const stream = makeStream(encode, frameBytes, chunkBytes);
      for (const [kind, arms] of Object.entries(kinds)) {
        const times = await play(arms, stream);
        const verdict = judge(times);
        print(`${name}, ${kind}, ${frameBytes} B in ${chunkBytes} B`, times, stream, verdict);
        compared += Number(Number.isFinite(verdict.ratio));
        slower += Number(verdict.isSlower);
      }
    }
  }
}
console.log(`${slower} of ${compared} slower than the best other beyond the noise`);
process.exitCode = slower > 0 ? 2 : 0;

/** Looks at endpoints: at all of them once, or at one again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointSnapshot } from '../../endpoint/snapshot';
import { askOnce, EndpointClient, listEndpoints } from '../endpoints';
import { ratesBetween } from './rates';
import { openScreen } from './screen';
import { listLines, viewLines } from './view';

const SECOND_MS = 1000;
/** Between the two looks of `--once`, for there are no rates without. */
const ONCE_MS = 500;

async function isThere(path: string): Promise<EndpointSnapshot | null> {
  try {
    return await askOnce(path);
  } catch {
    return null; // left over, or just gone
  }
}

/** Shows what endpoints there are; the exit code says whether there is any. */
export async function listAll(asJson: boolean, folder?: string): Promise<number> {
  const found = listEndpoints(folder);
  const answers = await Promise.all(
    found.map(async ({ path }) => ({ path, snapshot: await isThere(path) })),
  );
  const alive = answers.flatMap(({ path, snapshot }) => (snapshot ? [{ path, ...snapshot }] : []));
  if (asJson) console.log(JSON.stringify(alive));
  else if (alive.length > 0) console.log(listLines(alive).join('\n'));
  if (alive.length > 0) return 0;
  throw new Error(
    'no process has an endpoint open; start one with IOCP_NET_ENDPOINT=1, or call engine.openEndpoint()',
  );
}

function show(before: EndpointSnapshot, now: EndpointSnapshot, asJson: boolean): string[] {
  const rates = ratesBetween(before, now);
  return asJson ? [JSON.stringify({ ...now, rates })] : viewLines(now, rates);
}

export async function showOnce(path: string, asJson: boolean): Promise<number> {
  const client = new EndpointClient(path);
  try {
    const before = await client.ask();
    await sleep(ONCE_MS);
    console.log(show(before, await client.ask(), asJson).join('\n'));
    return 0;
  } finally {
    client.close();
  }
}

/** Each second, until somebody quits or the process is gone. */
export async function follow(path: string, asJson: boolean): Promise<number> {
  const client = new EndpointClient(path);
  const quit = new AbortController();
  const onQuit = (): void => quit.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onQuit);
  let before = await client.ask();
  const screen = asJson ? null : openScreen(onQuit);
  let isGone = false;
  try {
    while (!quit.signal.aborted) {
      await sleep(SECOND_MS, undefined, { signal: quit.signal }).catch(() => {});
      if (quit.signal.aborted) break;
      const now = await client.ask();
      const lines = show(before, now, asJson);
      if (screen === null) console.log(lines.join('\n'));
      else screen.draw(lines);
      before = now;
    }
  } catch (error) {
    isGone = true;
    screen?.close();
    console.error(`iocp-net: ${before.pid}: ${(error as Error).message}`);
  } finally {
    if (!isGone) screen?.close();
    client.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onQuit);
  }
  return 0;
}

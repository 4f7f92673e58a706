/**
 * Polite closing, in all orders: whatever is unread or unsent, the peer gets all that was ended and
 * then the end, never a reset; and a reset where one was asked for.
 *
 * node:net itself resets when it closes with unread data: as a control this prints where.
 */
import { CLOSERS, type CloseCase, METHODS, runCase, UNREAD } from './close-case';
import { check, note, program, skip } from './report';
import { isControl, isWine, sized } from './settings';

const SECONDS = sized({ full: 60, quick: 50, wine: 110 });

function describe({ pending, late, peer }: CloseCase): string {
  const unsent = pending ? 'much unsent' : 'little unsent';
  return `${unsent}, peer is ${peer} and reads ${late ? 'late' : 'at once'}`;
}

function variants(group: Pick<CloseCase, 'closer' | 'method' | 'unread'>): CloseCase[] {
  return [false, true].flatMap((pending) =>
    [false, true].flatMap((late) =>
      (['node', 'same'] as const).map((peer) => ({ ...group, pending, late, peer })),
    ),
  );
}

/** Nor does node:net's client hear of it there. */
const isBeyondWine = (one: CloseCase): boolean =>
  isWine && one.method === 'resetAndDestroy' && one.closer === 'server';

async function runGroup(cases: readonly CloseCase[]): Promise<string> {
  const all = await Promise.all(
    cases.map(async (one) => (await runCase(one)).map((fault) => `${describe(one)}: ${fault}`)),
  );
  const faults = all.flat();
  if (faults.length > 0 && isControl) {
    for (const fault of faults) note(fault);
    return `node:net fails ${all.filter((each) => each.length > 0).length} of ${cases.length}`;
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return `${cases.length} cases`;
}

program('closing', async () => {
  for (const closer of CLOSERS) {
    for (const method of METHODS) {
      for (const unread of UNREAD) {
        // Who destroys a connection that the peer is sending on has not ended politely.
        if (method === 'destroy' && unread === 'streaming') continue;
        const cases = variants({ closer, method, unread }).filter((one) => !isBeyondWine(one));
        const name = `${closer} closes by ${method}, unread: ${unread}`;
        if (cases.length === 0) {
          skip(name, 'Wine does not tell a client of a reset');
          continue;
        }
        await check(name, SECONDS, () => runGroup(cases));
      }
    }
  }
});

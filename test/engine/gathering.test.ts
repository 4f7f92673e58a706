/** When what was gathered is handed over. */
import t from 'tap';
import { Gathering } from '#dist/port/gathering.js';

const writer = (queued = 0) => ({ queued, completion: 0, writes: 0, writesBefore: 0 });

function pass(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

t.test('after a moment, though the dispatch goes on', async (test) => {
  const gathering = new Gathering();
  test.notOk(gathering.add(writer()), 'the first waits');
  pass(1);
  test.ok(gathering.add(writer()), 'the next finds that it has waited long enough');
  gathering.end();
  test.notOk(gathering.add(writer()), 'and its own time begins anew');
});

t.test('when a connection has much', async (test) => {
  const gathering = new Gathering();
  test.notOk(gathering.add(writer()));
  test.ok(gathering.add(writer(16 * 1024 + 1)));
});

t.test(
  'who writes several times per completion is gathered from its second write',
  async (test) => {
    const gathering = new Gathering();
    const several = writer();
    gathering.next();
    for (let i = 0; i < 3; i++) test.notOk(gathering.gathers(several, false));
    gathering.next();
    test.notOk(gathering.gathers(several, false), 'the first goes at once');
    test.ok(gathering.gathers(several, false));
    test.ok(gathering.gathers(writer(), true), 'as is everybody where others follow');
  },
);

/** What is found by an id when its slot already belongs to another. */
import t from 'tap';
import { Slots } from '#dist/port/slots.js';

const INDEX_BITS = 20;
const idOf = (generation: number, index: number) => ({ id: (generation << INDEX_BITS) | index });

t.test('a slot that is taken before its last completion is read has both', async (test) => {
  const slots = new Slots<{ id: number }>((1 << INDEX_BITS) - 1);
  const before = idOf(1, 7);
  const after = idOf(2, 7);
  slots.add(before);
  test.equal(slots.find(before.id), before);
  test.equal(slots.find(after.id), undefined, 'the next id of the slot is not the first');
  slots.add(after);
  test.equal(slots.find(before.id), before);
  test.equal(slots.find(after.id), after);
  test.strictSame([...slots], [after, before]);
  slots.delete(before.id);
  test.equal(slots.find(before.id), undefined);
  test.equal(slots.find(after.id), after, 'the end of one is not that of the other');
  slots.delete(after.id);
  test.strictSame([...slots], []);
});

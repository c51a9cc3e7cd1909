/** Memory for bytes on their way out: used again, and given back after a burst. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../../../test/requirements.ts';
import { SendSlots, type Slot, slotBytes } from './memory.ts';

function take(slots: SendSlots, count: number): Slot[] {
  return Array.from({ length: count }, () => {
    const slot = slots.take();
    slot.slab.bytes.fill(7, slot.start, slot.start + slotBytes);
    return slot;
  });
}

test('a slot that was given back is the next one taken', { skip: needs('linux') }, (t) => {
  const slots = new SendSlots();
  t.after(() => slots.dispose());
  const [first, second] = take(slots, 2);
  assert.equal(slots.used, 2);
  slots.give(first!);
  slots.give(second!);
  assert.equal(slots.used, 0);
  assert.equal(slots.take(), second);
  assert.equal(slots.take(), first);
});

test('after a burst most of the memory goes back to the system, and the slots stay good', {
  skip: needs('linux'),
}, (t) => {
  const slots = new SendSlots();
  t.after(() => slots.dispose());
  const burst = take(slots, 1000);
  for (const slot of burst) slots.give(slot);
  assert.equal(slots.used, 0);
  const kept = burst.filter(({ slab, start }) => slab.bytes[start] === 7).length;
  assert.ok(kept > 0 && kept <= 300, `${kept} of 1000 kept their memory`);
  const again = take(slots, 1000);
  assert.equal(new Set(again).size, 1000);
  assert.deepEqual(new Set(again), new Set(burst), 'no new memory was mapped');
});

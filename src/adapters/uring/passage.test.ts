/** Which way bytes go when a pipe or splice(2) can't be had. What the bytes are is the contract suite's affair (test/contract). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNumber } from './abi.ts';
import { Passage, type PassageEnd } from './passage.ts';
import type { Pipe, Pipes } from './pipes.ts';
import { receiveBufferBytes } from './receive-buffers.ts';

class End implements PassageEnd {
  incoming: Passage | undefined;
  reception: 'open' | 'waits' | 'over' = 'open';
  passed = 0;
  taken = 0;
  takePipe(): void {
    this.taken++;
  }
  gatherLater(): void {}
  passedOn(bytes: number): void {
    this.passed += bytes;
  }
}

/** @param came what splice says. @param hasPipes whether there is one. */
function turn(came: number, hasPipes = true) {
  const [from, to] = [new End(), new End()];
  const passage = new Passage(from);
  passage.begin(to, 1_000_000);
  let given = 0;
  const pipe = { fill: () => came } as unknown as Pipe;
  const pipes = { take: () => (hasPipes ? pipe : undefined), give: () => given++ } as unknown as Pipes;
  const result = passage.turn(0, pipes);
  return { passage, from, to, result, given };
}

test('bytes that came through a pipe are counted, and the receiver has the pipe', () => {
  const { passage, from, to, given, result } = turn(70_000);
  assert.deepEqual([result, from.passed, to.taken, given, passage.left], [70_000, 70_000, 1, 0, 930_000]);
});

for (const [name, error] of [
  ['ENOMEM', 12],
  ['EINVAL', 22],
  ['ENOSYS', 38],
] as const)
  test(`${name} from splice: the long way, and the connection lives`, () => {
    const { passage, result, given, to } = turn(-error);
    assert.deepEqual([result, given, to.taken, passage.isOpen], [-errorNumber.EAGAIN, 1, 0, false]);
    for (let buffer = 0; buffer < 4; buffer++) passage.shown(receiveBufferBytes);
    assert.ok(passage.isOpen, 'bulk tries it again');
  });

test('no pipe is left: the long way', () => {
  const { passage, result } = turn(1, false);
  assert.deepEqual([result, passage.isOpen], [-errorNumber.EAGAIN, false]);
});

test("the socket's own error and its end are told", () => {
  const reset = 104;
  assert.deepEqual([turn(-reset).result, turn(-reset).given], [-reset, 1]);
  assert.deepEqual([turn(0).result, turn(0).given], [0, 1]);
});

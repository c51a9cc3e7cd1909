import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressRecord, overlapMs, without } from './address-record.ts';

const at = (milliseconds: number) => Date.parse(`2026-11-22T17:40:10.${String(milliseconds).padStart(3, '0')}`);

test('a renewal is no change, and an address that loopback keeps is not held', () => {
  // As `ip` 6.1 printed it: over IPv6 the kernel tells of the address on loopback after it has told that eth0 lost it.
  const monitor = {
    output: `[2026-11-22T17:40:10.100] 2: eth0    inet6 fd42::240/128 scope global nodad deprecated dynamic \\       valid_lft 2sec preferred_lft 0sec
[2026-11-22T17:40:10.200] 2: eth0    inet6 fd42::240/128 scope global nodad deprecated dynamic \\       valid_lft 2sec preferred_lft 0sec
[2026-11-22T17:40:10.300] Deleted 2: eth0    inet6 fd42::240/128 scope global nodad deprecated dynamic \\       valid_lft 2sec preferred_lft 0sec
[2026-11-22T17:40:10.300] 1: lo    inet6 fd42::240/128 scope global nodad deprecated dynamic noprefixroute \\       valid_lft 11sec preferred_lft 0sec
`,
  };
  const record = new AddressRecord(monitor, 'fd42::240');
  assert.equal(record.held, false);
  assert.deepEqual(record.changes, [
    { atMs: at(100), held: true },
    { atMs: at(300), held: false },
  ]);
  monitor.output += '[2026-11-22T17:40:10.800] Deleted 1: lo    inet6 fd42::240/128 scope global nodad \\\n';
  assert.equal(record.changes.length, 2);
  assert.deepEqual(record.spans(at(900)), [[at(100), at(300)]]);
});

test('spans without cuts, and how long two of them overlap', () => {
  assert.deepEqual(without([[0, 10]], [[3, 5]]), [
    [0, 3],
    [5, 10],
  ]);
  const three: [number, number][] = [
    [0, 10],
    [4, 6],
    [8, 12],
  ];
  assert.equal(overlapMs(three), 4);
});

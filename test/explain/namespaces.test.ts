/**
 * Differences between two files of which the real Keepalived says the last word: both nodes hold the address at the same time, as the
 * finding tells; with equal files only one does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Kind, startDaemon, stop } from '../interop/daemons.ts';
import { TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { findingNames } from './files.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');
const golden = readFileSync(new URL('../golden/explain/multicast/lb1.conf', import.meta.url), 'utf8');
/** Nothing to ask here, and a short start. */
const base = golden.replace(/ {4}track_script \{\s+answers\s+\}\n/, '').replace(/vrrp_script [\s\S]*?\n\}\n/, '');
const fast = base.replace('advert_int 1', 'advert_int 0.2\n    version 3').replace(/authentication \{[\s\S]*?\}/, '');

const addresses = ['10.42.0.73', '10.42.0.38'] as const;

/** Which of the two hosts hold 10.42.0.240 when both have had time to hear each other. */
async function holders(first: string, second: string, kind: Kind = 'keepalived'): Promise<boolean[]> {
  const lab = await TestLab.create();
  try {
    const hosts = [await lab.host([`${addresses[0]}/24`]), await lab.host([`${addresses[1]}/24`])];
    const daemons = [first, second].map((text, index) => {
      hosts[index]!.write('/run/keepalived.conf', text);
      return startDaemon(index === 0 ? kind : 'keepalived', hosts[index]!, '/run/keepalived.conf');
    });
    await daemons[0]!.printed(/Entering MASTER STATE/);
    // Fifteen intervals: a backup that hears nothing has given up by then, and of two that hear each other one has.
    await setTimeout(3000);
    const held = hosts.map((host) => host.holds('10.42.0.240'));
    await Promise.all(daemons.map(stop));
    return held;
  } finally {
    await lab.close();
  }
}

const lower = (text: string) => text.replace('priority 110', 'priority 100');

test('equal files: one holder', { skip }, async () => {
  assert.deepEqual(await holders(fast, lower(fast)), [true, false]);
});

for (const [name, from, to] of [
  ['version-differs', '    version 3', '    version 2'],
  ['addresses-differ', '10.42.0.240/24', '10.42.0.240/24\n        10.42.0.241/24'],
  ['virtual-router-id-differs', 'virtual_router_id 51', 'virtual_router_id 52'],
] as const)
  test(`${name}: two holders`, { skip }, async () => {
    const other = lower(fast).replace(from, to);
    assert.ok(findingNames({ lb1: fast, lb2: other }).includes(name));
    assert.deepEqual(await holders(fast, other), [true, true]);
  });

// Keepalived 2.2.7 does not know the word: the other node is one that does.
test('checksum-differs: two holders, because a Keepalived without the word drops what one with it sends', {
  skip,
}, async () => {
  const plain = fast.replace('version 3', 'version 3\n    v3_checksum_as_v2');
  assert.ok(findingNames({ lb1: plain, lb2: lower(fast) }).includes('checksum-differs'));
  assert.deepEqual(await holders(plain, lower(fast), 'evergate'), [true, true]);
  assert.deepEqual(await holders(fast, lower(fast), 'evergate'), [true, false]);
});

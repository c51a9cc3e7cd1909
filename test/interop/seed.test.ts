/**
 * The seed's two files, unmodified, Evergate on one host and the real Keepalived on the other, either way round: election, take-over when the
 * balancer dies, its return, a crash, a stop. And two Evergates, which are faster where the protocol lets them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { crash, fakeHaproxy, type Kind, startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean) => untilWithin(condition, 20_000);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'shared');
const virtual = '10.42.0.240';
const file = (which: 'active' | 'passive') =>
  fileURLToPath(new URL(`../../../shared/seed/keepalived-${which}.conf`, import.meta.url));

const pairs: readonly (readonly [Kind, Kind])[] = [
  ['evergate', 'keepalived'],
  ['keepalived', 'evergate'],
  ['evergate', 'evergate'],
];

for (const [active, passive] of pairs)
  test(`the seed's files: ${active} active, ${passive} passive`, {
    skip: skip || needs(active === passive ? 'ip' : 'keepalived'),
    timeout: 90_000,
  }, async () => {
    const lab = await TestLab.create();
    try {
      const first = await lab.host(['10.42.0.73/24']);
      const second = await lab.host(['10.42.0.38/24']);
      let balancer = fakeHaproxy(first);
      fakeHaproxy(second);
      let one = startDaemon(active, first, file('active'));
      await held(first, one);
      const two = startDaemon(passive, second, file('passive'));
      await two.printed(/Changing effective priority from 100 to 102/);

      balancer.signal('SIGKILL');
      await one.printed(/Changing effective priority from 103 to 101/);
      await held(second, two);
      await until(() => !first.holds(virtual));

      balancer = fakeHaproxy(first);
      await held(first, one);
      await until(() => !second.holds(virtual));

      let seen = two.output.length;
      crash(one);
      await held(second, two, seen);
      one = startDaemon(active, first, file('active'));
      await held(first, one);
      await until(() => !second.holds(virtual));

      seen = two.output.length;
      assert.equal(await stop(one), 0);
      const stoppedAt = performance.now();
      await held(second, two, seen);
      // A skew of (256 - 102) / 256 s, and at once between two of ours.
      assert.ok(performance.now() - stoppedAt < (active === passive ? 400 : 1_500));
      assert.equal(first.holds(virtual), false);
      assert.equal(await stop(two), 0);
      assert.equal(second.holds(virtual), false);
    } finally {
      await lab.close();
    }
  });

async function held(host: TestHost, daemon: Program, from = 0): Promise<void> {
  await daemon.printed(/Entering MASTER STATE/, 20_000, from);
  await until(() => host.holds(virtual));
}

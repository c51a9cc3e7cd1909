/**
 * BFD: with the seed's unmodified files a standby notices in milliseconds that the active router's host or process is gone; with a Keepalived,
 * which doesn't answer, nothing changes; and Keepalived's own bfd_instance speaks with ours.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { crash, fakeHaproxy, type Kind, startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'shared');
const seed = (which: 'active' | 'passive') =>
  fileURLToPath(new URL(`../../../shared/seed/keepalived-${which}.conf`, import.meta.url));

async function withPair(play: (lab: TestLab, first: TestHost, second: TestHost) => Promise<void>): Promise<void> {
  const lab = await TestLab.create();
  try {
    const first = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    const second = await lab.host(['10.42.0.38/24', 'fd42::38/64']);
    fakeHaproxy(first);
    fakeHaproxy(second);
    await play(lab, first, second);
  } finally {
    await lab.close();
  }
}

/** Both up, the first one MASTER, and the standby's session with it up. */
async function settled(one: Program, two: Program): Promise<void> {
  await one.printed(/Entering MASTER STATE/, 20_000);
  await two.printed(/BFD session with 10\.42\.0\.73 is up/, 20_000);
  // The standby asked for 50 ms when the session came up: by now both keep to it.
  await new Promise((resolve) => setTimeout(resolve, 500));
}

async function takesOver(two: Program, fault: () => void): Promise<number> {
  const seen = two.output.length;
  const from = performance.now();
  fault();
  await two.printed(/Entering MASTER STATE/, 2_000, seen);
  return performance.now() - from;
}

test(
  'the seed’s files, the active daemon killed: taken over within a few hundred milliseconds',
  { skip, timeout: 60_000 },
  (context) =>
    withPair(async (_lab, first, second) => {
      const one = startDaemon('evergate', first, seed('active'));
      const two = startDaemon('evergate', second, seed('passive'));
      await settled(one, two);
      const tookMs = await takesOver(two, () => crash(one));
      context.diagnostic(`killed: ${tookMs.toFixed(0)} ms`);
      assert.ok(tookMs < 1_000, 'the timers alone take 3.6 seconds');
      assert.match(two.output, /BFD: 10\.42\.0\.73 is silent/);
    }),
);

test(
  'the seed’s files, the active host cut off: taken over within a few hundred milliseconds',
  { skip, timeout: 60_000 },
  (context) =>
    withPair(async (_lab, first, second) => {
      const one = startDaemon('evergate', first, seed('active'));
      const two = startDaemon('evergate', second, seed('passive'));
      await settled(one, two);
      const tookMs = await takesOver(two, () => first.cable(false));
      context.diagnostic(`cut off: ${tookMs.toFixed(0)} ms`);
      assert.ok(tookMs < 1_000, 'the timers alone take 3.6 seconds');
    }),
);

test('an orderly stop is no death: goodbye is said', { skip, timeout: 60_000 }, () =>
  withPair(async (_lab, first, second) => {
    const one = startDaemon('evergate', first, seed('active'));
    const two = startDaemon('evergate', second, seed('passive'));
    await settled(one, two);
    const seen = two.output.length;
    assert.equal(await stop(one), 0);
    await two.printed(/Entering MASTER STATE/, 2_000, seen);
    assert.doesNotMatch(two.output, /is silent/);
  }),
);

test('no_peer_bfd: no session, the timers rule', { skip, timeout: 60_000 }, () =>
  withPair(async (_lab, first, second) => {
    for (const host of [first, second]) host.write('/run/vrrp.conf', instance('no_peer_bfd'));
    const one = startDaemon('evergate', first, '/run/vrrp.conf');
    const two = startDaemon('evergate', second, '/run/vrrp.conf');
    await two.printed(/Entering (MASTER|BACKUP) STATE/);
    await one.printed(/Entering (MASTER|BACKUP) STATE/);
    assert.equal(udpPorts(first).includes(':3784'), false);
    assert.equal(udpPorts(second).includes(':3784'), false);
  }),
);

test(
  'a Keepalived does not answer: three questions, then a pause',
  {
    skip: skip || needs('keepalived', 'tcpdump'),
    timeout: 60_000,
  },
  () =>
    withPair(async (lab, first, second) => {
      const tcpdump = lab.onSwitch(['tcpdump', '-lnni', 'any', '-Q', 'in', 'udp port 3784']);
      const packets = new Seen(tcpdump);
      const one = startDaemon('keepalived', first, seed('active'));
      const two = startDaemon('evergate', second, seed('passive'));
      await one.printed(/Entering MASTER STATE/, 20_000);
      await packets.atLeast(2);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      assert.ok(packets.count >= 2 && packets.count <= 4, `${packets.count} packets`);
      assert.doesNotMatch(two.output, /BFD/);
      tcpdump.kill('SIGINT');
    }),
);

for (const [left, right] of [
  ['evergate', 'keepalived'],
  ['keepalived', 'evergate'],
  ['evergate', 'evergate'],
] as readonly (readonly [Kind, Kind])[])
  test(
    `bfd_instance and track_bfd: ${left} tracks ${right}`,
    {
      skip: skip || needs('keepalived'),
      timeout: 60_000,
    },
    () =>
      withPair(async (_lab, first, second) => {
        first.write('/run/vrrp.conf', written('10.42.0.73', '10.42.0.38', 110));
        second.write('/run/vrrp.conf', written('10.42.0.38', '10.42.0.73', 100));
        const one = startDaemon(left, first, '/run/vrrp.conf');
        const two = startDaemon(right, second, '/run/vrrp.conf');
        // Without the session both are in FAULT; with it the higher one is elected.
        await one.printed(/\(peer\) Entering Up state/, 15_000);
        await one.printed(/Entering MASTER STATE/, 15_000);
        await two.printed(/Entering BACKUP STATE/, 15_000);
        const seen = one.output.length;
        crash(two);
        await one.printed(/\(peer\) Entering Down state/, 3_000, seen);
        await one.printed(/entering FAULT state/i, 3_000, seen);
      }),
  );

test('bfd_instance with multihop: two Evergates on port 4784', { skip, timeout: 60_000 }, () =>
  withPair(async (_lab, first, second) => {
    first.write('/run/vrrp.conf', written('10.42.0.73', '10.42.0.38', 110, 'multihop'));
    second.write('/run/vrrp.conf', written('10.42.0.38', '10.42.0.73', 100, 'multihop on'));
    const one = startDaemon('evergate', first, '/run/vrrp.conf');
    startDaemon('evergate', second, '/run/vrrp.conf');
    await one.printed(/\(peer\) Entering Up state/, 15_000);
    assert.match(udpPorts(first), /:4784\b/);
  }),
);

function instance(words: string): string {
  return `vrrp_instance web {
  interface eth0
  virtual_router_id 51
  ${words}
  virtual_ipaddress {
    10.42.0.240
  }
}
`;
}

function written(own: string, neighbour: string, priority: number, more = ''): string {
  return `bfd_instance peer {
  neighbor_ip ${neighbour}
  source_ip ${own}
  min_rx 50
  min_tx 50
  multiplier 4
  ${more}
}
${instance(`priority ${priority}\ntrack_bfd {\npeer\n}`)}`;
}

function udpPorts(host: TestHost): string {
  return host.run('ss -Huln');
}

/** Counts the lines that tcpdump prints. */
class Seen {
  count = 0;
  #wake: (() => void) | undefined;

  constructor(child: ReturnType<TestLab['onSwitch']>) {
    child.stdout?.on('data', (text: Buffer) => {
      this.count += text.toString().split('\n').length - 1;
      this.#wake?.();
    });
  }

  async atLeast(count: number): Promise<void> {
    while (this.count < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

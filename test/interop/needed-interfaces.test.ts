/** Interfaces that no track_interface names and that count all the same, as with Keepalived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');
const withKeepalived = skip || needs('keepalived');

const instance = (addresses: string, words = '') => `vrrp_instance web {
  interface eth0
  version 3
  virtual_router_id 51
  advert_int 0.1
  garp_master_delay 0
  garp_master_repeat 1
  virtual_ipaddress {
    10.42.0.240/24
    ${addresses}
  }
  ${words}
}
`;

async function onHost(
  kind: 'evergate' | 'keepalived',
  text: string,
  play: (host: TestHost, daemon: Program) => Promise<void>,
): Promise<void> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    host.run('ip link add eth1 type veth peer name far1');
    host.run('ip link set eth1 up');
    host.run('ip link set far1 up');
    host.write('/run/vrrp.conf', text);
    const daemon = startDaemon(kind, host, '/run/vrrp.conf');
    await daemon.printed(/Entering MASTER STATE/);
    await play(host, daemon);
    assert.equal(await stop(daemon), 0);
  } finally {
    await lab.close();
  }
}

const cases: Readonly<Record<string, string>> = {
  'an address': instance('10.50.0.240/24 dev eth1'),
  'an excluded address': instance('', 'virtual_ipaddress_excluded {\n10.50.0.240/24 dev eth1\n}'),
  'a route': instance('', 'virtual_routes {\n10.60.0.0/16 dev eth1\n}'),
  'a rule': instance('', 'virtual_rules {\niif eth1 table 100 preference 77\n}'),
  'an address, whatever track_interface says,': instance(
    '10.50.0.240/24 dev eth1',
    'track_interface {\neth1 weight 9\n}',
  ),
};

for (const kind of ['evergate', 'keepalived'] as const) {
  const options = { skip: kind === 'evergate' ? skip : withKeepalived, timeout: 60_000 };
  for (const [name, text] of Object.entries(cases))
    test(`${kind}: FAULT while the interface of ${name} is down`, options, () =>
      onHost(kind, text, async (host, daemon) => {
        host.run('ip link set eth1 down');
        await daemon.printed(/Entering FAULT STATE/);
        const from = daemon.output.length;
        host.run('ip link set eth1 up');
        await daemon.printed(/Entering BACKUP STATE[\s\S]*Entering MASTER STATE/, 10_000, from);
      }),
    );

  test(`${kind}: no_track takes the interface of an address out`, options, () =>
    onHost(kind, instance('10.50.0.240/24 dev eth1 no_track'), async (host, daemon) => {
      host.run('ip link set eth1 down');
      // Later than the link's event, which is told in its order.
      const from = daemon.output.length;
      host.run('ip link set eth0 down');
      await daemon.printed(/Entering FAULT STATE/, 10_000, from);
      assert.equal(daemon.output.match(/Entering FAULT STATE/g)?.length, 1);
      assert.doesNotMatch(daemon.output.slice(0, from), /FAULT/);
    }),
  );
}

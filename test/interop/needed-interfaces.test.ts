/** Interfaces that no track_interface names and that count all the same, as with Keepalived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 10_000, what);

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

const statics = `track_group TG {
  group {
    web
  }
}
static_ipaddress {
  10.50.0.1/24 dev eth1 track_group TG
}
static_routes {
  10.60.0.0/16 via 10.50.0.9 dev eth1 track_group TG
}
static_rules {
  iif eth1 table 100 preference 77 track_group TG
}
`;
const other = instance('')
  .replace('instance web', 'instance other')
  .replace('router_id 51', 'router_id 52')
  .replace('240', '250');

/** Where the statics should stand. */
function standing(host: TestHost): string[] {
  const seen: readonly (readonly [string, string, RegExp])[] = [
    ['address', 'ip addr show dev eth1', /10\.50\.0\.1\/24/],
    ['route', 'ip route', /10\.60\.0\.0\/16 via 10\.50\.0\.9/],
    ['rule', 'ip rule', /77:\s+from all iif eth1/],
  ];
  return seen.filter(([, command, pattern]) => pattern.test(host.run(command))).map(([name]) => name);
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

  test(
    `${kind}: static addresses, routes and rules are put back; with track_group their interface counts for its routers`,
    options,
    () =>
      onHost(kind, statics + instance('') + other, async (host, daemon) => {
        const all = ['address', 'route', 'rule'];
        assert.deepEqual(standing(host), all);
        for (const [what, command] of [
          ['route', 'ip route del 10.60.0.0/16'],
          ['rule', 'ip rule del pref 77'],
          ['address', 'ip addr del 10.50.0.1/24 dev eth1'],
        ] as const) {
          host.run(command);
          await daemon.printed(new RegExp(`Restoring deleted.* ${what}`));
          // Keepalived does not miss the route that the kernel dropped with the address.
          const expected = kind === 'keepalived' && what === 'address' ? ['address', 'rule'] : all;
          await until(() => standing(host).join() === expected.join(), `${what} is back`);
        }
        assert.doesNotMatch(daemon.output, /FAULT/);
        host.run('ip link set eth1 down');
        await daemon.printed(/\(web\) Entering FAULT STATE/);
        const from = daemon.output.length;
        host.run('ip link set eth1 up');
        await daemon.printed(/\(web\) Entering MASTER STATE/, 10_000, from);
        assert.deepEqual(standing(host), all);
        assert.doesNotMatch(daemon.output, /\(other\) Entering FAULT STATE/);
      }),
  );
}

const missing: Readonly<Record<string, string>> = {
  'a virtual address': instance('10.50.0.240/24 dev nix'),
  'a virtual route': instance('', 'virtual_routes {\n10.60.0.0/16 dev nix\n}'),
  'a next hop': instance('', 'virtual_routes {\n10.60.0.0/16 nexthop via 10.42.0.9 dev nix nexthop via 10.42.0.8\n}'),
  'a virtual rule': instance('', 'virtual_rules {\noif nix table 100 preference 5\n}'),
  'a static address': `static_ipaddress {\n10.60.0.1/16 dev nix\n}\n${instance('')}`,
  'a static route': `static_routes {\n10.60.0.0/16 dev nix\n}\n${instance('')}`,
  'a static rule': `static_rules {\niif nix table 100 preference 5\n}\n${instance('')}`,
  track_interface: instance('', 'track_interface {\nnix\n}'),
};

for (const kind of ['evergate', 'keepalived'] as const)
  test(`${kind}: an interface that is not there is refused, but not with dynamic_interfaces`, {
    skip: kind === 'evergate' ? skip : withKeepalived,
    timeout: 120_000,
  }, async () => {
    const lab = await TestLab.create();
    try {
      const host = await lab.host(['10.42.0.73/24']);
      for (const [what, text] of Object.entries(missing)) {
        host.write('/run/vrrp.conf', text);
        const refused = startDaemon(kind, host, '/run/vrrp.conf');
        assert.notEqual(await refused.ended, 0, `${what}: ${refused.output}`);
        assert.match(refused.output, /interface '?nix/, what);
        host.write('/run/vrrp.conf', `global_defs {\ndynamic_interfaces\n}\n${text}`);
        const waits = startDaemon(kind, host, '/run/vrrp.conf');
        await waits.printed(/Startup complete/);
        assert.equal(await stop(waits), 0);
      }
    } finally {
      await lab.close();
    }
  });

test('evergate: FAULT while a static route of its track_group cannot be put back', { skip, timeout: 60_000 }, () =>
  onHost(
    'evergate',
    statics.replace(/static_ipaddress[^}]*}\n/, 'static_ipaddress {\n10.50.0.1/24 dev eth1 no_track\n}\n') +
      instance(''),
    async (host, daemon) => {
      host.run('ip addr del 10.50.0.1/24 dev eth1');
      await daemon.printed(/Entering FAULT STATE/);
      assert.deepEqual(standing(host), ['rule']);
      const from = daemon.output.length;
      host.run('ip addr add 10.50.0.2/24 dev eth1');
      await daemon.printed(/Entering MASTER STATE/, 10_000, from);
      assert.deepEqual(standing(host), ['route', 'rule']);
    },
  ),
);

test(
  'evergate: virtual routes and rules that somebody removes are put back, but not with no_track',
  { skip, timeout: 60_000 },
  () =>
    onHost(
      'evergate',
      instance(
        '',
        `virtual_routes {
        10.60.0.0/16 via 10.42.0.9 dev eth0 src 10.42.0.240
        10.61.0.0/16 dev eth1 no_track
      }
      virtual_rules {
        iif eth1 table 100 preference 77
        iif eth1 table 100 preference 78 no_track
      }`,
      ),
      async (host, daemon) => {
        const routes = () =>
          host
            .run('ip route')
            .match(/10\.6\d/g)
            ?.join() ?? '';
        const rules = () => host.run('ip rule').match(/^7\d/gm)?.join() ?? '';
        assert.deepEqual([routes(), rules()], ['10.60,10.61', '77,78']);
        host.run('ip route del 10.61.0.0/16');
        host.run('ip route del 10.60.0.0/16');
        await daemon.printed(/Restoring deleted route 10\.60/);
        host.run('ip rule del pref 78');
        host.run('ip rule del pref 77');
        await daemon.printed(/Restoring deleted rule iif eth1 table 100 priority 77/);
        assert.deepEqual([routes(), rules()], ['10.60', '77']);
        // The kernel drops the route whose source goes, and says nothing.
        host.run('ip addr del 10.42.0.240/24 dev eth0');
        await until(() => host.holds('10.42.0.240') && routes() === '10.60', 'address and route');
        assert.doesNotMatch(daemon.output, /FAULT/);
      },
    ),
);

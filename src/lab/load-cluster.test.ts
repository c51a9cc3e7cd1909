import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type LoadedCluster, loadCluster, nameNodes } from './load-cluster.ts';
import { predict, settledActive } from './predict.ts';
import { after, healthy } from './situation.ts';
import { serverNames, targetsOf } from './targets.ts';

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const nodes = [
  { name: 'lb1', file: example('keepalived-active.conf') },
  { name: 'lb2', file: example('keepalived-passive.conf') },
];

const told = { readinessIsTold: true, restarts: true, actsAtOnce: true };
const tracked = { readinessIsTold: false, restarts: false, actsAtOnce: false };

function predicted(cluster: LoadedCluster, engine: typeof told, verb: 'kill' | 'unplug' | 'stop', what: string) {
  const well = healthy(['lb1', 'lb2'], serverNames(cluster.topology));
  const step = { verb, what, on: 'active', atMs: undefined, ms: 0 } as const;
  const [active = ''] = settledActive(cluster.predicted, well, engine, []);
  return predict(cluster.predicted, engine, [active], step, [well, after(well, step, [active])]);
}

test("the example's files name everything but the balancers, which get addresses beside the virtual one", async () => {
  const { topology } = await loadCluster([example('haproxy.cfg')], nodes);
  assert.equal(topology.virtualAddress, '10.42.0.240');
  assert.equal(topology.port, 80);
  assert.deepEqual(
    topology.nodes.map(({ name, interfaces }) => [name, interfaces[0]?.name, interfaces[0]?.addresses]),
    [
      ['lb1', 'eth0', ['10.42.0.11/24']],
      ['lb2', 'eth0', ['10.42.0.12/24']],
    ],
  );
  assert.deepEqual(
    topology.servers.map(({ name, interfaces, services }) => [name, interfaces[0]?.addresses, services[0]?.port]),
    [
      ['server1', ['10.42.0.135/24'], 80],
      ['server2', ['10.42.0.175/24'], 80],
      ['server3', ['10.42.0.152/24'], 80],
    ],
  );
});

test('names get addresses of their own, and that is said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-drill-'));
  try {
    const file = join(folder, 'haproxy.cfg');
    const servers = ['web1', 'web2'].map((name) => `  server ${name} ${name}.example:80 check`).join('\n');
    writeFileSync(
      file,
      readFileSync(example('haproxy.cfg'), 'utf8').replace(/ {2}server server1[\s\S]*152:80 check/, servers),
    );
    const { topology, standIns } = await loadCluster([file], nodes);
    assert.deepEqual(
      topology.servers.map(({ name, services }) => [name, services[0]?.host]),
      [
        ['web1', '10.42.0.101'],
        ['web2', '10.42.0.102'],
      ],
    );
    assert.ok(standIns.includes('the name web1.example stands for 10.42.0.101'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('unicast, two interfaces, servers elsewhere, checks that want something', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-drill-'));
  try {
    const keepalived = (priority: number, own: string, peer: string) => `vrrp_script up {
  script "/opt/checks/haproxy-is-up.sh"
  interval 1
}
vrrp_instance outside {
  interface ens3
  virtual_router_id 7
  priority ${priority}
  unicast_src_ip ${own}
  unicast_peer { ${peer} }
  virtual_ipaddress { 192.0.2.50/24 }
  track_script { up }
  track_interface { ens4 }
}
`;
    writeFileSync(join(folder, 'a.conf'), keepalived(150, '10.9.0.1', '10.9.0.2'));
    writeFileSync(join(folder, 'b.conf'), keepalived(100, '10.9.0.2', '10.9.0.1'));
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 192.0.2.50:8080
  default_backend app
backend app
  option httpchk GET /ready
  http-check expect string all\\ good
  server one 172.16.5.10:3000 check port 3001
  server two 127.0.0.1:3000 check
`,
    );
    const cluster = await loadCluster(
      [join(folder, 'haproxy.cfg')],
      [{ file: join(folder, 'a.conf') }, { file: join(folder, 'b.conf') }],
    );
    const { topology, standIns } = cluster;
    assert.deepEqual(
      topology.nodes.map(({ name, interfaces }) => [name, ...interfaces.map((each) => `${each.name}@${each.segment}`)]),
      [
        ['a', 'ens3@0', 'ens4@1'],
        ['b', 'ens3@0', 'ens4@1'],
      ],
    );
    const [first] = topology.nodes[0]!.interfaces;
    assert.ok(
      first?.addresses.includes('10.9.0.1/24') && first.addresses.includes('192.0.2.11/24'),
      String(first?.addresses),
    );
    assert.equal(topology.bindsForeign, true);
    assert.equal(topology.port, 8080);
    assert.deepEqual(topology.localServers, ['two']);
    assert.deepEqual(
      topology.servers[0]?.services.map(({ port, check }) => [port, check?.path, check?.contains]),
      [
        [3000, '/ready', 'all good'],
        [3001, '/ready', 'all good'],
      ],
    );
    assert.ok(standIns.some((text) => text.includes('/opt/checks/haproxy-is-up.sh')));
    assert.ok(standIns.some((text) => text.includes('to reach 172.16.5.10')));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('files that make no cluster are refused with the reason', async () => {
  await assert.rejects(loadCluster(['/no/such/haproxy.cfg'], nodes), /Could not open configuration file/);
  await assert.rejects(loadCluster([example('haproxy.cfg')], [{ file: '/no/such.conf' }]), /cannot read it/);
});

test('nodes are named by their folder or file, and numbered where that does not tell them apart', () => {
  const names = (...files: string[]) => nameNodes(files.map((file) => ({ file }))).map(({ name }) => name);
  assert.deepEqual(names('lb1/keepalived.conf', 'lb2/keepalived.conf'), ['lb1', 'lb2']);
  assert.deepEqual(names('keepalived-active.conf', 'keepalived-passive.conf'), ['active', 'passive']);
  assert.deepEqual(names('same.conf', 'same.conf'), ['lb1', 'lb2']);
});

test('the prediction follows the files and the engine', async () => {
  const cluster = await loadCluster([example('haproxy.cfg')], nodes);
  // Evergate's VRRP half is told: it resigns, and the standby takes over at once.
  const killed = predicted(cluster, told, 'kill', 'balancer');
  assert.deepEqual([killed.active, killed.settled, killed.outageMaxMs], [['lb2'], ['lb1'], 0]);
  // Keepalived's script runs every 2 s; the standby then waits out its whole timer of 3 s and the skew for priority 102.
  const checked = predicted(cluster, tracked, 'kill', 'balancer');
  assert.deepEqual(checked.active, ['lb2']);
  assert.equal(Math.round(checked.outageMaxMs ?? 0), 2000 + 3000 + Math.round((256 - 102) / 0.256));
  const unplugged = predicted(cluster, tracked, 'unplug', 'link');
  assert.equal(Math.round(unplugged.outageMaxMs ?? 0), 3602);
  // Evergate's nodes watch each other beside the advertisements: silence is borne for a second at most.
  assert.equal(predicted(cluster, told, 'unplug', 'link').outageMaxMs, 1000);
  const stopped = [told, tracked].map((engine) => predicted(cluster, engine, 'stop', 'node'));
  assert.deepEqual(
    stopped.map(({ active, outageMaxMs }) => [active, Math.round(outageMaxMs ?? -1)]),
    [
      [['lb2'], 0],
      [['lb2'], 602],
    ],
  );
});

test('where a step happens', async () => {
  const { topology } = await loadCluster([example('haproxy.cfg')], nodes);
  const world = { topology, active: ['lb2'], preferred: 'lb1' };
  const at = (on: string) => targetsOf(on, world);
  assert.deepEqual([at('active'), at('standby'), at('preferred')], [['lb2'], ['lb1'], ['lb1']]);
  assert.deepEqual([at('server'), at('server3')], [['server1'], ['server3']]);
  assert.equal(at('servers').length, 3);
  assert.throws(() => at('nobody'), /no node and no server is called "nobody"/);
});

/**
 * Exporters made for Keepalived against the program under Keepalived's name: they find it (pid file, process name), ask it for a dump (signal
 * numbers), and read the same from its files as from those of Keepalived 2.2.7 in the same cluster at the same moments.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type Kind, startDaemon, stop } from './daemons.ts';
import {
  checkmk,
  type DumpTexts,
  exporterJson,
  keepalivedExporterOldText,
  keepalivedExporterText,
  type Reading,
  statusMonitor,
  zabbix,
} from './exporter-readers.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 20_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');

/** `serves` decides who is active, by a file; `well` and `bad` are up and down all the time, and nobody tracks `unused`. */
const scripts = `vrrp_script serves {
  script "/usr/bin/test -e /run/serves"
  interval 1
  user root
}
vrrp_script well {
  script "/usr/bin/true"
  interval 5
  weight 2
  user root
}
vrrp_script bad {
  script "/usr/bin/false"
  interval 5
  weight 5
  user root
}
vrrp_script unused {
  script "/usr/bin/true"
  user root
}
`;

const routers = (pair: number, standby: number, decides = '', weighs = '') => `vrrp_sync_group both {
  group {
    four
    six
  }
}
vrrp_instance four {
  interface eth0
  virtual_router_id 51
  priority ${pair}
  advert_int 1
  garp_master_delay 2
  virtual_ipaddress {
    10.42.0.240/24
    10.42.0.241
  }
  virtual_ipaddress_excluded {
    10.42.0.250/24
  }
  ${decides}
}
vrrp_instance six {
  interface eth0
  virtual_router_id 52
  version 3
  priority ${pair}
  advert_int 0.5
  virtual_ipaddress {
    fe80::42
    fd42::43/64
  }
}
vrrp_instance standby {
  interface eth0
  virtual_router_id 53
  priority ${standby}
  virtual_ipaddress {
    10.42.0.245/24
  }
  ${weighs}
}
`;

const tracks = (...names: readonly string[]) => `track_script {\n${names.join('\n')}\n}`;

interface Observed {
  readonly phases: Readonly<Record<string, DumpTexts>>;
  readonly found: Readonly<Record<string, string>>;
  readonly fromSec: number;
  readonly toSec: number;
}

async function observe(kind: Kind): Promise<Observed> {
  const fromSec = Date.now() / 1000;
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    const other = await lab.host(['10.42.0.200/24', 'fd42::200/64']);
    other.write('/run/vrrp.conf', routers(100, 200));
    const neighbour = startDaemon('keepalived', other, '/run/vrrp.conf');
    for (const address of ['10.42.0.240', 'fd42::43', '10.42.0.245'])
      await until(() => other.holds(address), `${address} at the neighbour`);
    host.write('/run/serves', '');
    host.write('/run/vrrp.conf', scripts + routers(150, 50, tracks('serves'), `${tracks('well', 'bad')}\nuse_vmac`));
    const program = kind === 'keepalived' ? kind : '/run/keepalived-program/keepalived';
    host.run('mkdir /run/keepalived-program');
    if (kind === 'evergate') host.run(`ln -s ${evergate} ${program}`);
    const daemon = host.start([program, '-n', '-l', '-D', '-f', '/run/vrrp.conf']);
    const ask = () => askAll(host, program);
    const moveTo = async (to: TestHost, from: TestHost) => {
      for (const address of ['10.42.0.240', 'fd42::43'])
        await until(() => to.holds(address) && !from.holds(address), `${address} moves`);
    };
    await moveTo(host, other);
    const active = await ask();
    host.run('rm /run/serves');
    await moveTo(other, host);
    const fault = await ask();
    host.write('/run/serves', '');
    await moveTo(host, other);
    host.run('rm /run/serves');
    await moveTo(other, host);
    host.write('/run/serves', '');
    await moveTo(host, other);
    const again = await ask();
    const pid = host.run('cat /run/keepalived.pid').trim();
    const found = {
      process: host.run(`cat /proc/${pid}/comm`).trim(),
      pidFiles: host.run('stat -c %n,%a,%U /run/keepalived.pid /run/vrrp.pid'),
      dumps: host.run('stat -c %n,%a,%U /tmp/keepalived.data /tmp/keepalived.stats /tmp/keepalived.json'),
    };
    await stop(daemon);
    await stop(neighbour);
    return { phases: { active, fault, again }, found, fromSec, toSec: Date.now() / 1000 };
  } finally {
    await lab.close();
  }
}

const evergate = fileURLToPath(new URL('../../bin/evergate', import.meta.url));

/** As Checkmk's agent does: ask for the number, signal the pid file's process, wait for the file, take it away. */
async function askAll(host: TestHost, program: string): Promise<DumpTexts> {
  const pid = host.run('cat /run/keepalived.pid').trim();
  const one = async (name: string, file: string, whole: RegExp) => {
    host.run(`kill -s ${host.run(`${program} --signum=${name}`).trim()} ${pid}`);
    const path = `/tmp/keepalived.${file}`;
    await until(() => host.run('ls /tmp').includes(`keepalived.${file}`) && whole.test(host.run(`cat ${path}`)), path);
    const text = host.run(`cat ${path}`);
    return text;
  };
  for (;;) {
    host.run('rm -f /tmp/keepalived.data /tmp/keepalived.stats /tmp/keepalived.json');
    const texts = {
      stats: await one('STATS', 'stats', /Instance: standby[\s\S]*Priority Zero:\n.*\n.*\n/),
      data: await one('DATA', 'data', /< Interfaces >[\s\S]* Name = eth0[\s\S]*\n$/),
      json: await one('JSON', 'json', /\]\n$/),
    };
    // A script may run just now, and the next one would not.
    if (!texts.data.includes('State = running')) return texts;
  }
}

/** Moments lie in the run; how many advertisements there were depends on the time it took. */
function comparable(reading: Reading, { fromSec, toSec }: Observed): unknown {
  return JSON.parse(JSON.stringify(reading), (key, value: unknown) => {
    if (/^last.transition$/i.test(key)) {
      const seconds = Number(String(value).split(' ')[0]);
      return seconds > fromSec && seconds < toSec ? 'in the run' : value;
    }
    if (/^(Advertisements: |advert_(rcvd|sent))/.test(key)) return Number(value) > 0 ? 'some' : value;
    // A member that leaves with its group says so here; Keepalived's lets its own neighbours time out.
    if (/^(Priority Zero: Sent|pri_zero_sent)$/.test(key)) return undefined;
    return value;
  });
}

test('exporters find the program, and read what they read from Keepalived', { skip, timeout: 180_000 }, async (t) => {
  const [ours, theirs] = await Promise.all([observe('evergate'), observe('keepalived')]);
  await t.test('process name, pid files, rights of the files', () => {
    assert.deepEqual(ours.found, theirs.found);
    assert.equal(theirs.found['process'], 'keepalived');
  });
  const readers = {
    keepalivedExporterText,
    exporterJson,
    keepalivedExporterOldText,
    checkmk,
    zabbix,
    statusMonitor,
  };
  for (const [name, read] of Object.entries(readers))
    for (const phase of ['active', 'fault', 'again'])
      await t.test(`${name}: ${phase}`, () => {
        const reading = (observed: Observed) => comparable(read(observed.phases[phase]!), observed);
        assert.deepEqual(reading(ours), reading(theirs));
      });
  await t.test('what was read is what happened', () => {
    const states = Object.values(ours.phases).map((texts) =>
      Object.values(checkmk(texts)).map((instance) => (instance as { readonly state: string }).state),
    );
    assert.deepEqual(states, [
      ['MASTER', 'MASTER', 'BACKUP'],
      ['FAULT', 'FAULT', 'BACKUP'],
      ['MASTER', 'MASTER', 'BACKUP'],
    ]);
    const { four } = exporterJson(ours.phases['again']!) as Record<string, { readonly stats: Record<string, number> }>;
    assert.deepEqual([four!.stats['become_master'], four!.stats['release_master']], [3, 2]);
    assert.ok(four!.stats['pri_zero_sent']! >= 2);
    const { scripts: read } = keepalivedExporterText(ours.phases['fault']!);
    assert.deepEqual(read, {
      serves: { Status: 0, State: 0 },
      well: { Status: 1, State: 0 },
      bad: { Status: 0, State: 0 },
    });
    const { groups } = statusMonitor(ours.phases['fault']!);
    assert.deepEqual(groups, { both: { state: 'FAULT', members: ['four', 'six'] } });
  });
});

/** docs/operating.md: without root, the launcher's user has the capabilities that the unit gives it, and a folder for pid files. */
const unprivileged = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'];
const capabilities = '+net_admin,+net_raw,+net_bind_service';

const balancer = `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
listen web
  bind 127.0.0.1:18080
  server web1 127.0.0.1:18081
`;

test('under evergate run, as an unprivileged user: use_pid_dir and vrrp_process_name', {
  skip,
  timeout: 60_000,
}, async () => {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    const words = 'use_pid_dir\nglobal_defs {\nvrrp_process_name keepalived\n}\n';
    host.write('/run/keepalived.conf', words + routers(150, 50));
    host.write('/run/haproxy.cfg', balancer);
    host.run('install -d -o nobody /run/keepalived');
    host.run('chmod 1777 /tmp');
    const node = host.start([
      ...[...unprivileged, '--inh-caps', capabilities, '--ambient-caps', capabilities, evergate, 'run'],
      ...['-f', '/run/haproxy.cfg', '-k', '/run/keepalived.conf', '-p', '/tmp/launcher.pid'],
    ]);
    await node.printed(/Startup complete/);
    const pid = host.run('cat /run/keepalived/keepalived.pid').trim();
    assert.equal(host.run('pgrep -x keepalived').trim(), pid);
    assert.notEqual(host.run('cat /tmp/launcher.pid').trim(), pid);
    host.run(`${unprivileged.join(' ')} kill -s 36 ${pid}`);
    await until(() => host.run('ls /tmp').split('\n').includes('keepalived.json'), 'the dump');
    const json = host.run(`${unprivileged.join(' ')} cat /tmp/keepalived.json`);
    assert.deepEqual(Object.keys(checkmk({ data: '', stats: '', json })), ['four', 'six', 'standby']);
    assert.equal(host.run('stat -c %a,%U /tmp/keepalived.json'), '600,nobody\n');
    await stop(node);
  } finally {
    await lab.close();
  }
});

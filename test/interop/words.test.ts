/** Single words whose effect is seen from outside the daemon, beside Keepalived 2.2.7 with the same file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type Kind, startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 15_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');
const mailServer = fileURLToPath(new URL('../fixtures/mail-server.ts', import.meta.url));

const instance = (name: string, id: number, words: string, addresses: string) => `vrrp_instance ${name} {
  interface eth0
  version 3
  virtual_router_id ${id}
  priority 100
  advert_int 0.1
  ${words}
  virtual_ipaddress {
    ${addresses}
  }
}
`;

async function onHost<T>(text: string, play: (host: TestHost) => Promise<T>): Promise<T> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    host.write('/run/vrrp.conf', text);
    return await play(host);
  } finally {
    await lab.close();
  }
}

const both = async <T>(play: (kind: Kind) => Promise<T>): Promise<{ ours: T; theirs: T }> => {
  const [ours, theirs] = await Promise.all([play('evergate'), play('keepalived')]);
  return { ours, theirs };
};

// ---------------------------------------------------------------- no_accept

const guarded = (global: string, words: string) =>
  `global_defs {\n  ${global}\n}\n${instance('four', 51, words, '10.42.0.240/24\n10.42.0.241/24')}${instance('six', 52, words, 'fe80::5:1/64\nfd42::240/64')}`;

/**
 * Tables, chains and sets in the order of their names; each with its rules in their order. That Evergate's are owned by the daemon, and go with it
 * however it ends, is the one thing that Keepalived's don't have.
 */
function ruleset(host: TestHost): string[] {
  const owned = / # progname .*\n\tflags owner$/gm;
  const tables = host
    .run('nft -s list ruleset')
    .replace(owned, '')
    .split(/^(?=table )/m);
  return tables
    .map((table) => table.split(/\n\n?(?=\t(?:set|chain) |})/).map((part) => part.replace(/\d+ bytes \d+/, '')))
    .map((parts) => parts.sort().join('\n'))
    .sort();
}

for (const [name, global, words] of [
  ['no_accept', '', 'no_accept'],
  ['strict mode', 'vrrp_strict', ''],
  ['a table of another name, with counters', 'nftables blue\nnftables_priority 5\nnftables_counters', 'no_accept'],
] as const)
  test(`${name}: the same nftables as Keepalived, gone at the end`, {
    skip: skip || needs('nft', 'ping'),
    timeout: 60_000,
  }, async () => {
    const { ours, theirs } = await both((kind) =>
      onHost(guarded(global, words), async (host) => {
        const daemon = startDaemon(kind, host, '/run/vrrp.conf');
        await until(() => host.holds('10.42.0.241') && host.holds('fd42::240'), 'the addresses');
        await until(() => /fe80::5:1/.test(host.run('nft list ruleset')), 'the last rule');
        const rules = ruleset(host);
        assert.throws(() => host.run('ping -c 1 -W 1 10.42.0.240'), 'the address answers');
        host.run('ping -c 1 -W 1 10.42.0.73');
        await stop(daemon);
        return { rules, after: host.run('nft list ruleset') };
      }),
    );
    assert.deepEqual(ours.rules, theirs.rules);
    assert.equal(ours.rules.length, 2);
    assert.equal(ours.after, theirs.after);
  });

test('a daemon that is killed leaves no address blocked', { skip: skip || needs('nft'), timeout: 60_000 }, () =>
  onHost(guarded('', 'no_accept'), async (host) => {
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await until(() => /fe80::5:1/.test(host.run('nft list ruleset')), 'the last rule');
    daemon.signal('SIGKILL');
    await until(() => host.run('nft list ruleset') === '', 'no rules');
  }),
);

test(
  'a reload from no_accept to accept opens the address, and back closes it',
  {
    skip: skip || needs('nft', 'ping'),
    timeout: 60_000,
  },
  () =>
    onHost(instance('four', 51, 'no_accept', '10.42.0.240/24'), async (host) => {
      const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
      await until(() => host.holds('10.42.0.240'), 'the address');
      const blocked = () => /elements = \{ 10.42.0.240 \}/.test(host.run('nft list ruleset'));
      assert.ok(blocked());
      for (const words of ['accept', 'no_accept']) {
        host.write('/run/vrrp.conf', instance('four', 51, words, '10.42.0.240/24'));
        daemon.signal('SIGHUP');
        await until(() => blocked() === (words === 'no_accept'), words);
      }
      assert.ok(host.holds('10.42.0.240'));
      assert.equal(await stop(daemon), 0);
    }),
);

// ---------------------------------------------------------------- SIGJSON

const everything = `vrrp_script well {
  script "/usr/bin/true 1"
  interval 1
  user root
}
vrrp_track_process shell {
  process sh
  weight 2
}
${instance(
  'all',
  51,
  `track_script {
    well weight 3
  }
  track_interface {
    lo weight 1
  }
  virtual_routes {
    10.77.0.0/24 via 10.42.0.9 dev eth0
  }
  virtual_rules {
    from 10.78.0.0/24 table 100 preference 1000
  }
  virtual_ipaddress_excluded {
    10.42.0.250/24
  }
  notify "/usr/bin/true n" root
  notify_master "/usr/bin/true m" root
  notify_backup "/usr/bin/true b" root
  notify_fault "/usr/bin/true f" root
  notify_stop "/usr/bin/true s" root
  notify_deleted "/usr/bin/true d" root`,
  '10.42.0.240/24 label eth0:v',
)}`;

test('keepalived.json has the fields that Keepalived writes', { skip, timeout: 60_000 }, async () => {
  const { ours, theirs } = await both((kind) =>
    onHost(everything, async (host) => {
      const daemon = startDaemon(kind, host, '/run/vrrp.conf');
      await until(() => host.holds('10.42.0.240'), 'the address');
      host.run(`pkill -36 -o -x ${kind === 'evergate' ? 'evergate-vrrp' : 'keepalived'}`);
      await until(() => host.run('ls /tmp').includes('keepalived.json'), 'the file');
      await until(() => /\]\s*$/.test(host.run('cat /tmp/keepalived.json')), 'all of it');
      const [all] = JSON.parse(host.run('cat /tmp/keepalived.json'));
      await stop(daemon);
      return all as { data: Record<string, unknown>; stats: Record<string, unknown> };
    }),
  );
  const fields = ({ data, stats }: typeof ours) => [Object.keys(data).sort(), Object.keys(stats).sort()];
  assert.deepEqual(fields(ours), fields(theirs));
  const types = ({ data }: typeof ours) => Object.fromEntries(Object.entries(data).map(([k, v]) => [k, typeof v]));
  assert.deepEqual(types(ours), types(theirs));
  for (const [field, value] of Object.entries(theirs.data))
    if (/^(script|track_|auth_|garp_|vrid|base_|iname|state|version)/.test(field))
      assert.deepEqual(ours.data[field], value, field);
});

// ---------------------------------------------------------------- smtp_alert

const mailed = (words: string) => `global_defs {
  router_id LVS_X
  notification_email {
    ops@example.org
    bob@example.org
  }
  notification_email_from lb@example.org
  smtp_server 127.0.0.1 2525
  smtp_helo_name lb1.example.org
  smtp_alert
  ${words}
}
vrrp_sync_group G {
  group {
    a
    b
  }
  smtp_alert
}
${instance('a', 51, '', '10.42.0.240/24')}${instance('b', 52, '', '10.42.0.241/24')}${instance('quiet', 53, 'smtp_alert off', '10.42.0.242/24')}`;

/** What the server was told, mail by mail, without what differs by its nature: date and program. Keepalived sends a change's mails at once. */
function mails(output: string): string[] {
  return output
    .split('--\n')
    .slice(0, -1)
    .map((mail) => mail.replace(/^(Date|X-Mailer): .*\n/gm, ''))
    .sort();
}

for (const [name, words, count] of [
  ['smtp_alert', '', 9],
  ['no_email_faults', 'no_email_faults', 6],
] as const)
  test(`${name}: the same mails as Keepalived`, { skip, timeout: 60_000 }, async () => {
    const { ours, theirs } = await both((kind) =>
      onHost(mailed(words), async (host) => {
        const server = host.start([process.execPath, mailServer, '2525']);
        await server.printed(/listening/);
        const from = server.output.length;
        const daemon = startDaemon(kind, host, '/run/vrrp.conf');
        await until(() => server.output.split('MASTER state <=').length > 1, 'mails about MASTER');
        await until(() => mails(server.output.slice(from)).length >= 6, 'six mails');
        host.cable(false);
        await until(() => /Entering FAULT STATE[\s\S]*Entering FAULT STATE/.test(daemon.output), 'FAULT');
        await until(() => mails(server.output.slice(from)).length >= count, `${count} mails`);
        await stop(daemon);
        return mails(server.output.slice(from));
      }),
    );
    assert.equal(ours.length, count);
    assert.deepEqual(ours, theirs);
  });

test('a mail server that does not answer holds nothing up, and is told of', { skip, timeout: 60_000 }, () =>
  onHost(mailed('smtp_connect_timeout 1'), async (host) => {
    const silent = host.start([process.execPath, mailServer, '2525', 'silent']);
    await silent.printed(/listening/);
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await until(
      () => ['10.42.0.240', '10.42.0.241', '10.42.0.242'].every((address) => host.holds(address)),
      'addresses',
    );
    await daemon.printed(/SMTP alert \(\w+, BACKUP\) not sent to 127\.0\.0\.1:2525: no answer within 1 s/);
    assert.equal(await stop(daemon), 0);
  }),
);

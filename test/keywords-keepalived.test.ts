/**
 * No word of keepalived.conf is accepted and ignored. Each row of the table of keywords is written into a file where it stands alone:
 * a supported word gives another plan than the file without it; a refused one is an alert at its line that says what to do; one without
 * effect is told at its line with the reason. That each field of the plan has a reader is tested beside (acted-on.test.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockName, blockNames, type Keyword, keywordsOf } from '../src/config/keepalived/keywords.ts';
import { parseKeepalived } from '../src/config/keepalived/parse.ts';
import { buildVrrpPlan } from '../src/plan/build-vrrp.ts';

interface Sample {
  readonly line: string;
  /** Lines beside it, in both files. */
  readonly beside?: string;
  /** In place of the block's usual lines, in both files. */
  readonly instead?: string;
  /** In place of the vrrp_instance's usual lines, in both files. */
  readonly router?: string;
}

const ipv4 = 'interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.1/24\n}';
const ipv6 = 'interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\nfe80::1/64\n}';
const more = (name: string, id: number) =>
  `vrrp_instance ${name} {\ninterface eth1\nvirtual_router_id ${id}\nvirtual_ipaddress {\n10.0.1.${id}/24\n}\n}\n`;

/** What stands in each block besides the word. */
const usual: Readonly<Partial<Record<BlockName, string>>> = {
  vrrp_script: 'script "/bin/true"',
  track_file: 'file /run/file',
  vrrp_track_process: 'process haproxy',
  bfd_instance: 'neighbor_ip 10.0.0.9',
  vrrp_instance: ipv4,
  authentication: 'auth_type PASS\nauth_pass secret',
  vrrp_sync_group: 'group {\nVI\n}',
};

const mail = 'notification_email {\nops@example.org\n}\nsmtp_server 10.0.0.25';
const unicast = 'unicast_peer {\n10.0.0.2\n}';

/** Words that the shape of their row alone gives no sample for, or that show only beside others. */
const samples: Readonly<Record<string, Sample>> = {
  'top level global_defs': { line: 'global_defs {\nrouter_id other\n}' },
  'top level vrrp_instance': {
    line: 'vrrp_instance V2 {\ninterface eth1\nvirtual_router_id 9\nvirtual_ipaddress {\n10.0.0.2/24\n}\n}',
  },
  'top level vrrp_sync_group': {
    line: 'vrrp_sync_group G2 {\ngroup {\nV2\nV3\n}\n}',
    beside: more('V2', 8) + more('V3', 9),
  },
  'top level vrrp_script': { line: 'vrrp_script S2 {\nscript /bin/true\n}' },
  'top level track_file': { line: 'track_file F2 {\nfile /run/f\n}' },
  'top level vrrp_track_file': { line: 'vrrp_track_file F2 {\nfile /run/f\n}' },
  'top level vrrp_track_process': { line: 'vrrp_track_process P2 {\nprocess nginx\n}' },
  'top level bfd_instance': { line: 'bfd_instance B2 {\nneighbor_ip 10.0.0.8\n}' },
  'top level track_group': { line: 'track_group T {\ngroup {\nVI\n}\n}' },
  'top level garp_group': { line: 'garp_group {\ngarp_interval 1\ninterface eth0\n}' },
  'top level static_ipaddress': { line: 'static_ipaddress {\n10.0.5.1/24\n}' },
  'top level static_routes': { line: 'static_routes {\n10.0.6.0/24 via 10.0.5.9 dev eth0\n}' },
  'top level static_rules': { line: 'static_rules {\nfrom 10.0.6.0/24 table 5 preference 9\n}' },
  'top level interface_up_down_delays': { line: 'interface_up_down_delays {\neth0 0.5 1\n}' },
  'global_defs vrrp_mcast_group4': { line: 'vrrp_mcast_group4 224.0.0.99' },
  'global_defs vrrp_mcast_group6': { line: 'vrrp_mcast_group6 ff02::99', router: ipv6 },
  'global_defs vrrp_down_timer_adverts': { line: 'vrrp_down_timer_adverts 5' },
  'global_defs vrrp_check_unicast_src': { line: 'vrrp_check_unicast_src', router: `${ipv4}\n${unicast}` },
  'global_defs vmac_prefix': { line: 'vmac_prefix v', router: `${ipv4}\nuse_vmac` },
  'global_defs vmac_addr_prefix': {
    line: 'vmac_addr_prefix v',
    router: `${ipv4}\nuse_vmac_addr\nvirtual_ipaddress_excluded {\n10.0.1.7/24 dev eth1\n}`,
  },
  'global_defs nftables': { line: 'nftables blue' },
  'global_defs script_user': { line: 'script_user nobody' },
  'global_defs notify_fifo_script': { line: 'notify_fifo_script /bin/cat', beside: 'notify_fifo /run/fifo' },
  'global_defs vrrp_notify_fifo_script': {
    line: 'vrrp_notify_fifo_script /bin/cat',
    beside: 'vrrp_notify_fifo /run/fifo',
  },
  'global_defs startup_script_timeout': { line: 'startup_script_timeout 3', beside: 'startup_script /bin/true' },
  'global_defs shutdown_script_timeout': { line: 'shutdown_script_timeout 3', beside: 'shutdown_script /bin/true' },
  'global_defs notification_email': {
    line: 'notification_email {\nops@example.org\n}',
    beside: 'smtp_server 10.0.0.25',
  },
  'global_defs smtp_server': { line: 'smtp_server 10.0.0.25 2525', beside: 'notification_email {\nops@example.org\n}' },
  'global_defs notification_email_from': { line: 'notification_email_from lb@example.org', beside: mail },
  'global_defs smtp_helo_name': { line: 'smtp_helo_name lb.example.org', beside: mail },
  'global_defs smtp_connect_timeout': { line: 'smtp_connect_timeout 3', beside: mail },
  'global_defs no_email_faults': { line: 'no_email_faults', beside: mail },
  'global_defs vrrp_cpu_affinity': { line: 'vrrp_cpu_affinity 0 1' },
  'global_defs bfd_cpu_affinity': { line: 'bfd_cpu_affinity 0 1' },
  'global_defs data_use_instance': { line: 'data_use_instance on' },
  'global_defs include_check': { line: 'include_check +match -readable' },
  'global_defs umask': { line: 'umask 022' },
  'global_defs vrrp_garp_extra_if': { line: 'vrrp_garp_extra_if all 10' },
  'vrrp_instance state': { line: 'state MASTER' },
  'vrrp_instance native_ipv6': {
    line: 'native_ipv6',
    instead: 'interface eth0\nvirtual_router_id 51\nversion 3\nno_virtual_ipaddress',
  },
  'vrrp_instance version': { line: 'version 3' },
  'vrrp_instance owner_ignore_adverts': { line: 'owner_ignore_adverts', beside: 'priority 255' },
  'vrrp_instance preempt': { line: 'preempt', beside: 'nopreempt' },
  'vrrp_instance virtual_ipaddress': { line: 'virtual_ipaddress {\n10.0.0.7/24\n}' },
  'vrrp_instance virtual_ipaddress_excluded': { line: 'virtual_ipaddress_excluded {\n10.0.0.7/24\n}' },
  'vrrp_instance virtual_routes': { line: 'virtual_routes {\n10.0.6.0/24 via 10.0.5.9\n}' },
  'vrrp_instance virtual_rules': { line: 'virtual_rules {\nfrom 10.0.6.0/24 table 5 preference 9\n}' },
  'vrrp_instance no_virtual_ipaddress': {
    line: 'no_virtual_ipaddress',
    instead: 'interface eth0\nvirtual_router_id 51\nversion 3',
  },
  'vrrp_instance mcast_src_ip': { line: 'mcast_src_ip 10.0.0.5' },
  'vrrp_instance unicast_src_ip': { line: 'unicast_src_ip 10.0.0.5', beside: unicast },
  'vrrp_instance mcast_dst_ip': { line: 'mcast_dst_ip 224.0.0.99' },
  'vrrp_instance unicast_peer': { line: unicast },
  'vrrp_instance unicast_ttl': { line: 'unicast_ttl 9', beside: unicast },
  'vrrp_instance unicast_fault_no_peer': { line: 'unicast_fault_no_peer' },
  'vrrp_instance check_unicast_src': { line: 'check_unicast_src', beside: unicast },
  'vrrp_instance authentication': { line: 'authentication {\nauth_type PASS\nauth_pass secret\n}' },
  'vrrp_instance down_timer_adverts': { line: 'down_timer_adverts 5' },
  'vrrp_instance accept': { line: 'accept', beside: 'no_accept' },
  'vrrp_instance use_vmac_addr': {
    line: 'use_vmac_addr',
    beside: 'virtual_ipaddress_excluded {\n10.0.1.7/24 dev eth1\n}',
  },
  'vrrp_instance vmac_xmit_base': { line: 'vmac_xmit_base', beside: 'use_vmac' },
  'vrrp_instance track_interface': { line: 'track_interface {\neth1\n}' },
  'vrrp_instance track_script': { line: 'track_script {\nS\n}' },
  'vrrp_instance track_file': { line: 'track_file {\nF weight 0\n}' },
  'vrrp_instance track_process': { line: 'track_process {\nP\n}' },
  'vrrp_instance track_bfd': { line: 'track_bfd {\nB\n}' },
  'vrrp_instance garp_extra_if': { line: 'garp_extra_if all 10' },
  'vrrp_instance vrf': { line: 'vrf blue' },
  'track_group group': { line: 'group {\nVI\n}', instead: '' },
  'vrrp_sync_group group': { line: 'group {\nVI\n}', instead: '' },
  'vrrp_sync_group track_interface': { line: 'track_interface {\neth1\n}' },
  'vrrp_sync_group track_script': { line: 'track_script {\nS\n}' },
  'vrrp_sync_group track_file': { line: 'track_file {\nF\n}' },
  'vrrp_sync_group track_process': { line: 'track_process {\nP\n}' },
  'vrrp_sync_group track_bfd': { line: 'track_bfd {\nB\n}' },
  'authentication auth_type': { line: 'auth_type AH' },
  'vrrp_script script': { line: 'script /bin/false', instead: '' },
  'track_file file': { line: 'file /run/other', instead: '' },
  'track_file init_file': { line: 'init_file 3' },
  'vrrp_track_process process': { line: 'process nginx', instead: '' },
  'vrrp_track_process param_match': { line: 'param_match partial', instead: 'process haproxy -f x' },
  'bfd_instance neighbor_ip': { line: 'neighbor_ip 10.0.0.8', instead: '' },
  'bfd_instance neighbour_ip': { line: 'neighbour_ip 10.0.0.8', instead: '' },
  'garp_group garp_interval': { line: 'garp_interval 2', instead: 'interface eth0\ngna_interval 1' },
  'garp_group gna_interval': { line: 'gna_interval 2', instead: 'interface eth0\ngarp_interval 1' },
  'garp_group interface': { line: 'interface eth1', instead: 'garp_interval 1' },
  'garp_group interfaces': { line: 'interfaces {\neth1\neth2\n}', instead: 'garp_interval 1' },
  'bfd_instance hoplimit': { line: 'hoplimit 9', instead: 'neighbor_ip 2001:db8::9' },
  'bfd_instance source_ip': { line: 'source_ip 10.0.0.5' },
};

/** Words that the plan can't show, and why nothing is lost. */
const withoutPlan: Readonly<Record<string, string>> = {
  'global_defs random_seed': 'used while the file is read, by _RANDOM (source.test.ts)',
  'global_defs include_check': 'used while the file is read, by include (source.test.ts)',
};

interface Outcome {
  readonly plan: string;
  readonly diagnostics: ReturnType<typeof parseKeepalived>['diagnostics'];
  readonly text: string;
}

function load(text: string): Outcome {
  const parsed = parseKeepalived([{ path: 'k.conf', text }], {
    configId: 'lb',
    readFiles: () => [],
    random: (min) => min,
  });
  const built = buildVrrpPlan(parsed.config, { hostname: 'lb', userExists: () => true });
  return {
    plan: JSON.stringify(built.plan ?? null),
    diagnostics: [...parsed.diagnostics, ...built.diagnostics],
    text,
  };
}

/** A file with one block of each kind, the sample's line (or none) in its own. */
function file(block: BlockName, sample: Sample, line: string): string {
  const inside = (name: BlockName) =>
    name === block
      ? `${sample.instead ?? usual[name] ?? ''}\n${sample.beside ?? ''}\n${line}`
      : ((name === 'vrrp_instance' ? sample.router : undefined) ?? usual[name] ?? '');
  const authentication = block === 'authentication' ? `authentication {\n${inside('authentication')}\n}` : '';
  const group = (name: BlockName) =>
    block === name ? `${name}${name === 'track_group' ? ' T' : ''} {\n${inside(name)}\n}` : '';
  return `global_defs {
${block === 'global_defs' ? inside('global_defs') : ''}
}
${block === 'top level' ? `${sample.beside ?? ''}\n${line}` : ''}
vrrp_script S {
${inside('vrrp_script')}
}
track_file F {
${inside('track_file')}
}
vrrp_track_process P {
${inside('vrrp_track_process')}
}
bfd_instance B {
${inside('bfd_instance')}
}
vrrp_instance VI {
${inside('vrrp_instance')}
${authentication}
}
vrrp_sync_group G {
${inside('vrrp_sync_group')}
}
${group('track_group')}
${group('garp_group')}
`;
}

function sampleOf(block: BlockName, { word, shape }: Keyword): Sample {
  const given = samples[`${block} ${word}`];
  if (given !== undefined) return given;
  const argument = (): string => {
    switch (shape.kind) {
      case 'text':
      case 'words':
        return 'blue';
      case 'choice':
        return shape.values.at(-1)!;
      case 'integer':
        return String(Math.min(shape.max, Math.max(shape.min, 3)));
      case 'decimal':
        return '2';
      case 'weight':
        return '-7';
      case 'command':
        return '/bin/true';
      case 'list':
        return '{\nVI\n}';
      case 'block':
        return shape.name === 'required' ? 'X {\n}' : '{\n}';
      case 'none':
      case 'boolean':
      case 'foreign':
        return '';
    }
  };
  return { line: `${word} ${argument()}`.trim() };
}

for (const block of blockNames)
  for (const keyword of keywordsOf(block)) {
    const { word, support, instead } = keyword;
    const name = `${block} ${word}`;
    test(`${name}: ${support}`, () => {
      const sample = sampleOf(block, keyword);
      const outcome = load(file(block, sample, sample.line));
      const at = outcome.text.split('\n').lastIndexOf(sample.line.split('\n')[0]!) + 1;
      const here = outcome.diagnostics.filter(({ place }) => place.line === at);
      if (support === 'supported') {
        assert.deepEqual(
          here.filter(({ severity }) => severity !== 'notice').map(({ message }) => message),
          [],
        );
        if (withoutPlan[name] !== undefined) return;
        assert.notEqual(outcome.plan, 'null', outcome.diagnostics.map(({ message }) => message).join('; '));
        assert.notEqual(outcome.plan, load(file(block, sample, '')).plan, `${name} changes nothing`);
        return;
      }
      const told = here.find(({ code }) => code === (support === 'refused' ? 'unsupported-word' : 'ignored'));
      assert.ok(told !== undefined, `${name} is not told of at line ${at}`);
      assert.equal(told.severity, support === 'refused' ? 'alert' : 'notice');
      assert.ok(instead !== undefined && instead.length > 10);
      if (support === 'refused') assert.equal(told.hint, instead);
      else assert.ok(told.message.includes(instead));
    });
  }

for (const block of blockNames)
  for (const keyword of keywordsOf(block)) {
    if (keyword.shape.kind !== 'boolean' || keyword.support !== 'supported') continue;
    test(`${block} ${keyword.word}: on and off in all their forms`, () => {
      const sample = sampleOf(block, keyword);
      const plan = (line: string) => load(file(block, sample, line)).plan;
      const word = sample.line.split(' ')[0]!;
      for (const form of ['', 'on', 'true', 'yes']) assert.equal(plan(`${word} ${form}`), plan(word), form);
      for (const form of ['off', 'false', 'no']) assert.equal(plan(`${word} ${form}`), plan(''), form);
    });
  }

test('every sample belongs to a row', () => {
  const names = new Set(blockNames.flatMap((block) => keywordsOf(block).map(({ word }) => `${block} ${word}`)));
  for (const name of [...Object.keys(samples), ...Object.keys(withoutPlan)]) assert.ok(names.has(name), name);
});

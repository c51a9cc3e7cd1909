import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { needs } from '../../../test/requirements.ts';

const main = new URL('../../main.ts', import.meta.url).pathname;
const evergate = (...argv: string[]) => spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8' });
const facts = [
  ...['--balancers', 'lb1=10.42.0.73,lb2=10.42.0.38', '--servers', '10.42.0.135,10.42.0.175 10.42.0.152'],
  ...['--virtual-ip', '10.42.0.240/24', '--interface', 'eth0'],
];

function inFolder(act: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-init-'));
  try {
    act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('init writes files that check and explain find nothing wrong with', () => {
  inFolder((out) => {
    const { status, stderr } = evergate('init', ...facts, '--out', out);
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(out).sort(), [
      'haproxy.cfg',
      'inventory.yml',
      'keepalived-lb1.conf',
      'keepalived-lb2.conf',
    ]);
    const files = ['keepalived-lb1.conf', 'keepalived-lb2.conf', 'haproxy.cfg'].map((name) => join(out, name));
    const checked = evergate('check', '--json', ...files);
    assert.equal(checked.status, 0, checked.stdout);
    for (const { diagnostics } of JSON.parse(checked.stdout) as { diagnostics: unknown[] }[])
      assert.deepEqual(diagnostics, []);
    const explained = evergate('explain', '--json', ...files);
    assert.equal(explained.status, 0, explained.stdout);
    assert.deepEqual((JSON.parse(explained.stdout) as { findings: unknown[] }).findings, []);
  });
});

test('the inventory is YAML with both groups, and names the files beside it', () => {
  inFolder((out) => {
    evergate('init', ...facts, '--out', out);
    const { all } = parse(readFileSync(join(out, 'inventory.yml'), 'utf8'));
    assert.deepEqual(Object.keys(all.children.balancers.hosts), ['lb1', 'lb2']);
    assert.deepEqual(all.children.servers.hosts.server3, { ansible_host: '10.42.0.152' });
    assert.equal(all.vars.evergate_virtual_address, '10.42.0.240/24');
    assert.ok(all.children.balancers.hosts.lb1.evergate_priority > all.children.balancers.hosts.lb2.evergate_priority);
  });
});

test('at a terminal it asks, and asks again when an answer makes no sense', { skip: needs('script') }, () => {
  inFolder((out) => {
    const answers = ['lb1=10.42.0.73', '10.42.0.73,10.42.0.38', '10.42.0.73', '10.42.0.135', '10.42.0.240/24', 'eth1'];
    const command = `${process.execPath} ${main} init --out ${out}`;
    const options = { encoding: 'utf8', input: `${answers.join('\n')}\n` } as const;
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], options);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /1 addresses; 2 to 10 are possible/);
    assert.match(stdout, /lb1 and server1 have the same address/);
    assert.match(readFileSync(join(out, 'keepalived-lb2.conf'), 'utf8'), /interface eth1/);
  });
});

test('IPv6 works as well', () => {
  inFolder((out) => {
    const six = [
      '--balancers',
      'fd00::1,fd00::2',
      '--servers',
      'fd00::10',
      '--virtual-ip',
      'fd00::f0/64',
      '--interface',
      'eth0',
    ];
    assert.equal(evergate('init', ...six, '--out', out).status, 0);
    const checked = evergate('check', join(out, 'haproxy.cfg'), join(out, 'keepalived-lb1.conf'));
    assert.equal(checked.status, 0, checked.stdout);
    parse(readFileSync(join(out, 'inventory.yml'), 'utf8'));
  });
});

test('nothing is overwritten without being told to', () => {
  inFolder((out) => {
    assert.equal(evergate('init', ...facts, '--out', out).status, 0);
    const again = evergate('init', ...facts, '--out', out);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /there already; --force/);
    assert.equal(evergate('init', ...facts, '--out', out, '--force').status, 0);
  });
});

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a missing fact names its option', [], /--balancers is missing/],
  ['one balancer is no cluster', ['--balancers', '10.0.0.1'], /1 addresses; 2 to 10/],
  ['a word that is no address', ['--balancers', '10.0.0.1,ten'], /"ten" is not an IP address/],
  ['an address twice', [...facts, '--balancers', '10.42.0.73,10.42.0.135'], /have the same address, 10\.42\.0\.135/],
  ['no prefix length', [...facts, '--virtual-ip', '10.42.0.240'], /prefix length/],
  ['a router id out of range', [...facts, '--router-id', '256'], /whole number from 1 to 255/],
];
for (const [name, argv, message] of wrong)
  test(`init refuses: ${name}`, () => {
    inFolder((out) => {
      const { status, stderr } = evergate('init', ...argv, '--out', join(out, 'x'));
      assert.equal(status, 1);
      assert.match(stderr, message);
      assert.deepEqual(readdirSync(out), []);
    });
  });

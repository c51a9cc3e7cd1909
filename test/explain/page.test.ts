/** The command as people and programs meet it: the page word for word, its width, JSON, exit status, documentation. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeNames } from '../../src/commands/explain/load.ts';
import { findingsDocument } from '../../src/plan/explain/findings/document.ts';

const root = new URL('../../', import.meta.url).pathname;
const update = process.env['EVERGATE_UPDATE_GOLDEN'] === '1';

function evergate(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}src/main.ts`, 'explain', ...words], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

for (const folder of globSync('test/golden/explain/*/', { cwd: root }).sort()) {
  const files = globSync([`${folder}/*.conf`, `${folder}/*.cfg`], { cwd: root }).sort();
  const path = `${root}${folder}/page.txt`;
  test(`${folder}: the page (EVERGATE_UPDATE_GOLDEN=1 writes it anew)`, () => {
    const { stdout, stderr, status } = evergate(...files);
    if (update) writeFileSync(path, stdout);
    assert.equal(stdout, readFileSync(path, 'utf8'));
    assert.equal(stderr, '');
    for (const line of stdout.split('\n')) assert.ok([...line].length <= 100, `${[...line].length} columns: ${line}`);
    assert.ok(!stdout.includes('\x1b'), 'colours in a pipe');
    assert.equal(status, stdout.includes('0 alerts, 0 warnings') ? 0 : 1);
  });
}

test('the essay’s pair: weight 2 is added and not subtracted, 103/102, then 101, and it does fail over', () => {
  const { stdout, status } = evergate('--json', 'examples/keepalived-active.conf', 'examples/keepalived-passive.conf');
  assert.equal(status, 1);
  const { nodes, virtualRouters } = JSON.parse(stdout);
  assert.deepEqual(
    nodes.map(({ name }: { name: string }) => name),
    ['active', 'passive'],
  );
  const [router] = virtualRouters;
  const [active, passive] = router.priorities;
  assert.deepEqual([active.running, passive.running], [103, 102]);
  assert.deepEqual(active.trackers[0], {
    name: 'script chk_haproxy',
    weight: 2,
    reverse: false,
    adds: 2,
    priorityWhenFailed: 101,
    faultWhenFailed: false,
    noticedMs: { min: 0, max: 2000 },
  });
  const row = router.failures.find(({ failures }: { failures: string[] }) => failures.includes('balancer'));
  assert.deepEqual(row.outcome.evergate.active, ['passive']);
  assert.equal(row.outcome.evergate.maxMs, 0);
  assert.deepEqual(row.outcome.keepalived.active, ['passive']);
  assert.equal(Math.round(row.outcome.keepalived.maxMs), 5602);
  assert.equal(row.outcome.keepalived.formula, 'interval 2000 ms + 3 x 1000 ms + skew 601.6 ms');
  assert.equal(router.combinations.all.length, 49);
});

test('--json: the fields that docs/explain.md promises', () => {
  const { stdout } = evergate('--json', 'examples/keepalived-active.conf', 'examples/keepalived-passive.conf');
  const said = JSON.parse(stdout);
  const [router] = said.virtualRouters;
  const row = router.failures.find(({ failures }: { failures: string[] }) => failures.includes('host'));
  const outcome = ['active', 'changed', 'deadHolder', 'formula', 'instead', 'maxMs', 'minMs', 'why'];
  const keys: readonly (readonly [object, readonly string[]])[] = [
    [said, ['diagnostics', 'findings', 'nodes', 'virtualRouters']],
    [said.nodes[0], ['file', 'name']],
    [
      router,
      [
        'activeDownMs',
        'addresses',
        'combinations',
        'comesBack',
        'failures',
        'name',
        'normal',
        'partition',
        'priorities',
        'version',
        'virtualRouterId',
      ],
    ],
    [router.priorities[0], ['base', 'node', 'running', 'trackers']],
    [row, ['failures', 'node', 'outcome']],
    [router.comesBack, ['failures', 'node', 'outcome']],
    [router.normal, ['evergate', 'keepalived']],
    [router.normal.keepalived, outcome],
    [row.outcome.keepalived, outcome],
    [row.outcome.evergate, [...outcome, 'watched'].sort()],
    [row.outcome.evergate.watched, ['formula', 'maxMs', 'minMs']],
    [router.combinations, ['all', 'limit']],
    [router.combinations.all[0], ['failures', 'outcome']],
    [said.findings[0], ['also', 'code', 'finding', 'hint', 'message', 'place', 'reason', 'severity']],
    [said.findings[0].place, ['column', 'file', 'length', 'line']],
  ];
  for (const [value, names] of keys) assert.deepEqual(Object.keys(value).sort(), names);
});

test('one file for all nodes, with lines marked @name: keepalived.conf@name', () => {
  const folder = mkdtempSync(`${tmpdir()}/evergate-explain-`);
  try {
    const file = `${folder}/keepalived.conf`;
    const lines = [
      'vrrp_instance VI_1 {',
      'interface eth0',
      'virtual_router_id 51',
      '@lb1 priority 101',
      '@lb2 priority 100',
    ];
    writeFileSync(file, [...lines, 'virtual_ipaddress {', '192.0.2.240', '}', '}', ''].join('\n'));
    const { nodes, virtualRouters } = JSON.parse(evergate('--json', `${file}@lb2`, `${file}@lb1`).stdout);
    assert.deepEqual(nodes, [
      { name: 'lb2', file },
      { name: 'lb1', file },
    ]);
    const running = virtualRouters[0].priorities.map((each: { running: number }) => each.running);
    assert.deepEqual(running, [100, 101]);
    assert.deepEqual(virtualRouters[0].normal.evergate.active, ['lb1']);
    assert.match(evergate(`${folder}/none@lb1`).stdout, /none@lb1\n +cannot be read/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('files that are none, or are refused, are said and end with status 1', () => {
  const { stdout, status } = evergate('package.json', 'no-such-file.conf');
  assert.equal(status, 1);
  assert.match(stdout, /neither a haproxy\.cfg nor a keepalived\.conf/);
  assert.match(stdout, /no-such-file\.conf\n {4}cannot be read/);
  assert.match(stdout, /2 alerts/);
});

test('what the parsers warn of is said too, unless a finding says it better', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explain-'));
  try {
    const sound = readFileSync(`${root}test/golden/explain/multicast/lb1.conf`, 'utf8');
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const slow = write('slow.conf', sound.replace('advert_int 1', 'advert_int 60\n    version 3'));
    const { stdout, status } = evergate(slow);
    assert.match(stdout, /VRRP version 3 cannot carry 60 s: 40\.95 s is used/);
    assert.match(stdout, /version 3 has no authentication\n/);
    assert.doesNotMatch(stdout, /authentication is ignored/);
    assert.equal(status, 1);
    const instance = sound.slice(sound.indexOf('vrrp_instance')).replace('web', 'other');
    const twice = evergate(write('twice.conf', sound + instance.replace('.240', '.241')));
    assert.match(twice.stdout, /✖ alert .*twice\.conf:36:5\n {4}other: virtual_router_id 51 is already used here/);
    assert.match(twice.stdout, /1 alert, 0 warnings/);
    assert.equal(twice.status, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('nodes are called by what tells their files apart', () => {
  assert.deepEqual(nodeNames(['a/lb1.conf', 'b/lb2.conf']), ['lb1', 'lb2']);
  assert.deepEqual(nodeNames(['lb1/keepalived.conf', 'lb2/keepalived.conf']), ['lb1', 'lb2']);
  assert.deepEqual(nodeNames(['keepalived-active.conf', 'keepalived-passive.conf']), ['active', 'passive']);
  assert.deepEqual(nodeNames(['keepalived-lb.conf']), ['keepalived-lb']);
  assert.deepEqual(nodeNames(['x/lb.conf', 'x/lb.conf']), ['x/lb.conf#1', 'x/lb.conf#2']);
});

test('docs/explain.md is what the catalogue says (EVERGATE_UPDATE_GOLDEN=1 writes it anew)', () => {
  const path = `${root}docs/explain.md`;
  if (update) writeFileSync(path, findingsDocument());
  assert.equal(readFileSync(path, 'utf8'), findingsDocument());
});

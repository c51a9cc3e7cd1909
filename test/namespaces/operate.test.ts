/** What an operator does with two running nodes: status, handover, resume, trace; and what the daemon notices by itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BalancerReport } from '../../src/commands/balance/control.ts';
import type { VrrpReport } from '../../src/engine/failover/control-report.ts';
import { stop } from '../interop/daemons.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type Program, type TestHost, TestLab } from './lab.ts';

const until = (condition: () => boolean) => untilWithin(condition, 20_000);

const skip = needs('linux', 'root', 'namespaces', 'ip');
const evergate = fileURLToPath(new URL('../../bin/evergate', import.meta.url));
const virtual = '10.42.0.240';

const configuration = (priority: number, more = '') => `vrrp_instance VI_1 {
  interface eth0
  state BACKUP
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${virtual}/24
    ${more}
  }
}
`;

const balancer = `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend www
  bind :80
  default_backend web
backend web
  server web1 127.0.0.1:8001 check inter 200
`;

/** Two hosts on one switch; the first one is to be MASTER. */
async function pair(t: TestContext) {
  const lab = await TestLab.create();
  t.after(() => lab.close());
  const first = await lab.host(['10.42.0.73/24', 'fd00::73/64']);
  const second = await lab.host(['10.42.0.38/24', 'fd00::38/64']);
  return { lab, first, second };
}

async function daemon(host: TestHost, text: string, state: RegExp): Promise<Program> {
  host.write('/run/keepalived.conf', text);
  const program = host.start([evergate, 'vrrp', '-f', '/run/keepalived.conf', '-l', '-G', '-n']);
  await program.printed(state);
  return program;
}

function ask(host: TestHost, ...words: string[]) {
  const result = spawnSync('nsenter', [...host.enter, evergate, ...words], { encoding: 'utf8', timeout: 20_000 });
  return { status: result.status, text: result.stdout + result.stderr, stdout: result.stdout };
}

function router(host: TestHost) {
  const { stdout } = ask(host, 'status', '--json');
  const { vrrp, troubles } = JSON.parse(stdout) as { vrrp: VrrpReport; troubles: readonly string[] };
  return { ...vrrp.routers[0], troubles };
}

test('status, handover and resume', { skip, timeout: 90_000 }, async (t) => {
  const { first, second } = await pair(t);
  assert.equal(ask(first, 'status').status, 2, 'nothing runs yet');
  assert.match(ask(first, 'handover').text, /no VRRP daemon answers here/);

  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  const healthy = ask(first, 'status');
  assert.equal(healthy.status, 0, healthy.text);
  assert.match(healthy.text, /VI_1 {2}MASTER for [\d.]+ s \(since [\d:]+\): no advertisement heard/);
  assert.match(healthy.text, /10\.42\.0\.240\/24 on eth0: here/);

  // No standby yet: nobody takes over, and the address is back at once.
  const refused = ask(first, 'handover');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /no other node took over within 1500 ms\. Taken back/);
  assert.equal(first.holds(virtual), true);

  const two = await daemon(second, configuration(100), /Entering BACKUP STATE/);
  await until(() => router(second).neighbours[0]?.priority === 101);
  const handed = ask(first, 'handover', 'VI_1');
  assert.equal(handed.status, 0, handed.text);
  const tookMs = Number(/10\.42\.0\.38 took over after (\d+) ms/.exec(handed.text)?.[1]);
  // Between two of ours at once; an interval would mean that the standby waited for its timer.
  assert.ok(tookMs < 500, handed.text);
  await until(() => second.holds(virtual) && !first.holds(virtual));
  const out = router(first);
  assert.equal(out.state, 'FAULT');
  assert.equal(out.handedOver, true);
  assert.equal(out.neighbours[0].source, '10.42.0.38');
  assert.match(out.troubles[0], /handed over/);
  assert.equal(ask(first, 'status').status, 1);

  assert.equal(ask(first, 'resume').status, 0);
  await until(() => first.holds(virtual) && !second.holds(virtual));
  assert.equal(ask(first, 'status').status, 0);
  assert.equal(await stop(one), 0);
  assert.equal(await stop(two), 0);
  assert.equal(ask(first, 'status').status, 2, 'the socket is gone with the daemon');
});

test('a hand-over outlives the daemon, killed or stopped, and a reload', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  await daemon(second, configuration(100), /Entering BACKUP STATE/);
  await until(() => router(second).neighbours[0]?.priority === 101);
  assert.equal(ask(first, 'handover').status, 0);
  const { handedOverSinceMs } = router(first);
  assert.ok(handedOverSinceMs !== undefined);
  await stop(one);

  const again = await daemon(first, configuration(101), /VI_1\) is handed over since .*until `evergate resume`/);
  await until(() => router(first).state === 'FAULT');
  again.signal('SIGHUP');
  await again.printed(/Reload finished/);
  again.signal('SIGKILL');
  await again.ended;

  const third = await daemon(first, configuration(101), /Entering FAULT STATE/);
  const out = router(first);
  assert.equal(out.handedOverSinceMs, handedOverSinceMs, 'since the operator said it');
  assert.match(out.troubles[0], /VI_1 was handed over on \d{4}-\d\d-\d\d [\d:]+: `evergate resume`/);
  assert.equal(second.holds(virtual), true);

  assert.equal(ask(first, 'resume').status, 0);
  await until(() => first.holds(virtual) && !second.holds(virtual));
  assert.equal(router(first).handedOverSinceMs, undefined);
  await stop(third);
  await daemon(first, configuration(101), /Entering BACKUP STATE/);
  await until(() => first.holds(virtual));
});

test('a neighbour with another list of addresses is said by the standby', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  await daemon(first, configuration(101, '10.42.0.241/24'), /Entering MASTER STATE/);
  const two = await daemon(second, configuration(100), /Entering BACKUP STATE/);
  await until(() => router(second).neighbours[0]?.priority === 101);
  const told = ask(second, 'status');
  assert.equal(told.status, 1);
  assert.match(told.text, /^✗ VI_1: 10\.42\.0\.73 advertises 10\.42\.0\.241, which this node has not\. /);
  second.write('/run/keepalived.conf', configuration(100, '10.42.0.241/24'));
  two.signal('SIGHUP');
  await two.printed(/Reload finished/);
  await until(() => ask(second, 'status').status === 0);
});

test('an address that somebody removed is put back and seen in the status', { skip, timeout: 60_000 }, async (t) => {
  const { first } = await pair(t);
  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  await until(() => first.holds(virtual));
  first.run(`ip addr del ${virtual}/24 dev eth0`);
  await one.printed(/address 10\.42\.0\.240 was removed by someone else/);
  await until(() => first.holds(virtual));
  assert.equal(router(first).addresses[0].present, true);
});

test('another host with the same address is noticed, over IPv4 and IPv6', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  const other = /link\/ether (\S+)/.exec(second.run('ip link show eth0'))?.[1] ?? '';
  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  await until(() => first.holds(virtual));
  // It has the address and is silent: only asking finds it out.
  second.run(`ip addr add ${virtual}/24 dev eth0`);
  second.run('ip neigh flush dev eth0');
  const asker = second.start(['ping', '-c', '3', '-i', '0.3', '-I', virtual, '10.42.0.73']);
  await one.printed(new RegExp(`address conflict: ${other} answers for ${virtual}`), 20_000);
  await asker.ended;
  const { conflicts, troubles } = router(first);
  assert.equal(conflicts[0].hardwareAddress, other);
  assert.ok(troubles.some((trouble) => trouble.includes(`${other} claims ${virtual} too`)));
  second.run(`ip addr del ${virtual}/24 dev eth0`);
  await until(() => router(first).troubles.length === 0);
  assert.equal(router(first).conflicts[0].goesOn, false, 'over, and still told of');
  assert.equal(await stop(one), 0);

  const six = configuration(101).replace(`${virtual}/24`, 'fe80::240/64\n fd00::240/64');
  const version3 = await daemon(
    first,
    six.replace('advert_int 1', 'advert_int 1\n version 3'),
    /Entering MASTER STATE/,
  );
  await until(() => first.holds('fd00::240'));
  second.run('sysctl -qw net.ipv6.conf.eth0.ndisc_notify=1');
  second.run('ip addr add fd00::240/64 dev eth0');
  second.run('ip link set eth0 down');
  second.run('ip link set eth0 up');
  await version3.printed(new RegExp(`address conflict: ${other} answers for fd00::240`), 20_000);
});

test('a silent host that had the address before is found by asking', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  second.run(`ip addr add ${virtual}/24 dev eth0`);
  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  await one.printed(/address conflict: \S+ answers for 10\.42\.0\.240/, 10_000);
});

test('after a healed split the winner announces the address', { skip, timeout: 60_000 }, async (t) => {
  const { lab, first, second } = await pair(t);
  const client = await lab.host(['10.42.0.9/24']);
  const hardware = (host: TestHost) => /link\/ether (\S+)/.exec(host.run('ip link show eth0'))?.[1] ?? '';
  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  const two = await daemon(second, configuration(100), /Entering BACKUP STATE/);
  for (const host of [first, second]) host.isolate(true);
  await two.printed(/Entering MASTER STATE/);

  // Clients listened to the loser last. (Without locktime: the kernel believes no second announcement within a second.)
  client.run('sysctl -qw net.ipv4.neigh.eth0.locktime=0');
  client.run(`ip neigh replace ${virtual} lladdr ${hardware(second)} dev eth0 nud reachable`);
  const before = two.output.length;
  for (const host of [first, second]) host.isolate(false);
  await two.printed(/Entering BACKUP STATE/, 10_000, before);
  await until(() => client.run(`ip neigh show ${virtual}`).includes(hardware(first)));
  await until(() => !second.holds(virtual));
  assert.doesNotMatch(one.output, /Entering BACKUP STATE[\s\S]*Entering BACKUP STATE/, 'the winner stayed');
});

test('a process that stood still assumes that it was replaced', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  const one = await daemon(first, configuration(101), /Entering MASTER STATE/);
  const two = await daemon(second, configuration(100), /Entering BACKUP STATE/);
  await until(() => router(second).neighbours[0]?.priority === 101);
  const before = one.output.length;
  one.signal('SIGSTOP');
  await two.printed(/Entering MASTER STATE/);
  // Its lease is over too: nobody else takes the address from a daemon that stands still.
  await until(() => !first.holds(virtual));
  one.signal('SIGCONT');
  await one.printed(/was not run for \d+ms, assuming that it was replaced[\s\S]*Entering BACKUP STATE/, 10_000, before);
  await one.printed(/Entering BACKUP STATE[\s\S]*Entering MASTER STATE/, 15_000, before);
  await until(() => first.holds(virtual) && !second.holds(virtual));
});

test('trace: decoded, judged, and what the firewall drops', {
  skip: skip || needs('nft'),
  timeout: 60_000,
}, async (t) => {
  const { first, second } = await pair(t);
  await daemon(first, configuration(101), /Entering MASTER STATE/);
  // It hears nothing of the first: both are active.
  drop(second);
  const other = configuration(100, '10.42.0.241/24').replace('advert_int 1', 'advert_int 2');
  await daemon(second, other, /Entering MASTER STATE/);
  const line = ask(first, 'trace', 'eth0', '--count', '6');
  assert.match(
    line.text,
    /out {2}10\.42\.0\.73 → 224\.0\.0\.18 {2}v2 VRID 51 priority 101 every 1 s {2}10\.42\.0\.240/,
  );
  assert.match(
    line.text,
    /in {3}10\.42\.0\.38 .* ✗ advertisement interval mismatch .* ✗ advertises 10\.42\.0\.241, which this node has not/,
  );
  assert.equal(line.status, 1);

  const seen = ask(second, 'trace', '--json', '--for', '3')
    .stdout.trim()
    .split('\n')
    .map((each) => JSON.parse(each));
  const heard = seen.filter(({ outgoing }) => !outgoing);
  assert.ok(heard.length > 0);
  for (const { problems } of heard) assert.match(problems.join(), /dropped on this host: a firewall rule/);
});

test('trace: who sends and hears nobody is told what to check', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  await daemon(first, configuration(101), /Entering MASTER STATE/);
  const sending = ask(first, 'trace', 'eth0', '--for', '5');
  assert.equal(sending.status, 0);
  assert.match(
    sending.text,
    /This node sends, and nobody else is heard[\s\S]*ip protocol 112 accept[\s\S]*-p 112 -d 224\.0\.0\.18/,
  );
  // Without a daemon there is nothing to judge against, and it works all the same.
  const listening = ask(second, 'trace', 'eth0', '--count', '2');
  assert.match(listening.text, /no VRRP daemon runs here[\s\S]*in {3}10\.42\.0\.73 → 224\.0\.0\.18/);
  assert.match(ask(second, 'trace', 'eth7').text, /no interface "eth7"/);
});

test('the status of a whole node, and of one whose balancer died', { skip, timeout: 60_000 }, async (t) => {
  const { first } = await pair(t);
  first.write('/run/keepalived.conf', configuration(101));
  first.write('/run/haproxy.cfg', balancer);
  first.start([process.execPath, '-e', 'require("http").createServer((q, s) => s.end("well")).listen(8001)']);
  const node = first.start([evergate, 'run', '-f', '/run/haproxy.cfg', '-k', '/run/keepalived.conf', '--io', 'net']);
  await node.printed(/Entering MASTER STATE/, 20_000);
  const healthy = ask(first, 'status');
  assert.equal(healthy.status, 0, healthy.text);
  assert.match(healthy.text, /Balancer {2}serving[\s\S]*www +http +OPEN[\s\S]*web1 +UP/);

  const { balancer: running } = JSON.parse(ask(first, 'status', '--json').stdout) as { balancer: BalancerReport };
  const before = node.output.length;
  first.run(`kill -STOP ${running.pid}`);
  await node.printed(/Entering FAULT STATE/, 10_000, before);
  const frozen = ask(first, 'status');
  assert.equal(frozen.status, 1);
  assert.match(frozen.text, /VI_1 is in FAULT: the balancer does not serve/);
  assert.match(frozen.text, /the balancer does not answer: @evergate-balance: no answer within 3 s/);
  first.run(`kill -KILL ${running.pid}`);
  await node.printed(/starting it again/);
  await until(() => ask(first, 'status').status === 0);
});

test('a status that is watched in a pipe, and ended', { skip, timeout: 60_000 }, async (t) => {
  const { first } = await pair(t);
  await daemon(first, configuration(101), /Entering MASTER STATE/);
  const watching = first.start([evergate, 'status', '--watch', '--json']);
  await watching.printed(/\n.*\n/);
  watching.signalFirst('SIGINT');
  assert.equal(await watching.ended, 0);
  for (const line of watching.output.trim().split('\n')) assert.equal(JSON.parse(line).exitStatus, 0);
  assert.doesNotMatch(watching.output, /\x1b/);
});

test('two nodes on one machine and one file system do not meet', { skip, timeout: 60_000 }, async (t) => {
  const { first, second } = await pair(t);
  await daemon(first, configuration(101), /Entering MASTER STATE/);
  await daemon(second, configuration(100), /Entering BACKUP STATE/);
  assert.equal(router(first).state, 'MASTER');
  assert.equal(router(second).state, 'BACKUP');
});

/** Nothing of protocol 112 comes in. */
function drop(host: TestHost): void {
  host.run('nft add table inet test');
  host.run('nft add chain inet test input { type filter hook input priority 0 ; }');
  host.run('nft add rule inet test input ip protocol 112 drop');
}

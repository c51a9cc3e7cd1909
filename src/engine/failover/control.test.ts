/** What the control socket answers, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualFailover } from '../../../test/fixtures/virtual-failover.ts';
import { VrrpControl } from './control.ts';
import type { HandoverProgress, HandoverStore } from './control-handover.ts';
import type { RouterReport } from './control-report.ts';

const instance = (name: string, id: number, address: string, more = '') => `vrrp_instance ${name} {
  interface eth0
  state BACKUP
  virtual_router_id ${id}
  priority 101
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass secret
  }
  virtual_ipaddress {
    ${address}
  }
  ${more}
}
`;
const one = instance('VI_1', 51, '10.42.0.240/24');

/** Active after its timer. */
function active(text = one, store?: HandoverStore) {
  const world = new VirtualFailover(text);
  const control = new VrrpControl(
    world.failover,
    { clock: world, pid: 7, version: '1.2.3', launched: false, kernel: () => world.kernel() },
    { log: (_severity, message) => world.log.push(message), detail: () => {} },
    store,
  );
  world.pass(10_000);
  const ask = (line: string, asker: number | undefined = 0) => JSON.parse(JSON.stringify(control.answer(line, asker)));
  return {
    world,
    control,
    ask,
    router: (): RouterReport => ask('status').status.routers[0],
    progress: (): HandoverProgress => ask('handover-progress').handover[0],
    hear: (priority: number) => world.hear(world.failover.drivers[0].settings, priority),
  };
}

test('status tells state, reason, priority and addresses', () => {
  const it = active();
  const router = it.router();
  assert.equal(router.state, 'MASTER');
  assert.equal(router.reason, 'no advertisement heard');
  assert.ok(Math.abs(router.stateAgeMs - (10_000 - 3_000 - (155 / 256) * 1000)) < 1);
  assert.deepEqual(router.priority, { running: 101, base: 101, parts: [] });
  assert.deepEqual(router.addresses, [
    { address: '10.42.0.240', prefix: 24, device: 'eth0', excluded: false, present: true, wanted: true },
  ]);
  assert.deepEqual(router.transitions, { toActive: 1, fromActive: 0 });
});

test('the log says why a router is in FAULT, whatever it is', () => {
  const it = active();
  it.world.failover.serving(false);
  const at = it.world.log.indexOf('(VI_1) Entering FAULT STATE');
  assert.equal(it.world.log[at - 1], '(VI_1) the balancer does not serve');
});

test('status asks the kernel about addresses, it does not assume them', () => {
  const it = active();
  it.world.addresses = it.world.addresses.filter(({ address }) => address !== '10.42.0.240');
  assert.equal(it.router().addresses[0].present, false);
});

test('status tells whom it heard and whom it refused', () => {
  const it = active();
  it.hear(90);
  it.world.pass(300);
  const settings = it.world.failover.drivers[0].settings;
  it.world.hear({ ...settings, authentication: { kind: 'pass', password: 'wrong' } }, 200, '10.42.0.9');
  const [refused, heard] = it.router().neighbours;
  assert.equal(heard.source, '10.42.0.38');
  assert.equal(heard.priority, 90);
  assert.equal(heard.ageMs, 300);
  assert.equal(refused.source, '10.42.0.9');
  assert.equal(refused.accepted, 0);
  assert.equal(refused.lastRefusal?.error, 'authentication-failure');
});

test('status tells how the addresses of a neighbour differ, until they no longer do', () => {
  const it = active();
  const [{ settings }] = it.world.failover.drivers;
  const other = { ...settings.addresses[0], address: '10.42.0.241' };
  const told = (...addresses: (typeof settings.addresses)[number][]) => {
    it.world.hear({ ...settings, addresses }, 100);
    return it.router().neighbours[0].addressDifference;
  };
  assert.equal(told(...settings.addresses, other), 'advertises 10.42.0.241, which this node has not');
  const both = 'does not advertise 10.42.0.240, which this node has; advertises 10.42.0.241, which this node has not';
  assert.equal(told(other), both);
  assert.equal(told(...settings.addresses), undefined);
});

test('forged senders do not fill the memory', () => {
  const it = active();
  for (let i = 0; i < 200; i++) it.world.hear(it.world.failover.drivers[0].settings, 50, `10.42.1.${i}`);
  assert.equal(it.router().neighbours.length, 32);
  assert.equal(it.router().neighbours[0].source, '10.42.1.199');
});

test('handover resigns, and tells who took over and after how long', () => {
  const it = active();
  it.ask('handover');
  assert.equal(it.world.sentPriorities.at(-1), 0);
  assert.equal(it.router().state, 'FAULT');
  assert.equal(it.router().handedOver, true);
  assert.equal(it.progress().outcome, 'waiting');
  it.world.pass(420);
  it.hear(90);
  assert.deepEqual(it.progress(), {
    router: 'VI_1',
    outcome: 'taken-over',
    by: '10.42.0.38',
    afterMs: 420,
    patienceMs: 1500,
  });
  it.world.pass(60_000);
  assert.equal(it.router().state, 'FAULT', 'stays out until resume');
  it.ask('resume');
  assert.equal(it.router().state, 'BACKUP');
});

test('an owner that ignores advertisements hears who takes over when it is handed over', () => {
  const it = active(one.replace('priority 101', 'priority 255\n  owner_ignore_adverts'));
  assert.equal(it.router().state, 'MASTER');
  it.hear(254);
  assert.equal(it.router().neighbours[0].lastRefusal?.error, 'owner');
  it.ask('handover');
  it.world.pass(420);
  it.hear(90);
  assert.equal(it.progress().outcome, 'taken-over');
  it.world.pass(60_000);
  assert.equal(it.router().state, 'FAULT');
  it.ask('resume');
  assert.equal(it.router().state, 'MASTER');
});

test('handover to nobody is taken back at once', () => {
  const it = active();
  it.ask('handover VI_1');
  it.world.pass(1_499);
  assert.equal(it.router().state, 'FAULT');
  it.world.pass(2);
  assert.equal(it.progress().outcome, 'nobody');
  assert.equal(it.router().state, 'MASTER');
  assert.equal(it.router().addresses[0].present, true);
});

test('a node that resigns at the same time is nobody', () => {
  const it = active();
  it.ask('handover');
  it.hear(0);
  it.world.pass(1_501);
  assert.equal(it.progress().outcome, 'nobody');
});

test('--force stays out though nobody took over', () => {
  const it = active();
  it.ask('handover --force VI_1');
  it.world.pass(60_000);
  assert.equal(it.progress().outcome, 'nobody');
  assert.equal(it.router().state, 'FAULT');
});

test('a reload does not end a hand-over', () => {
  const it = active();
  it.ask('handover --force');
  it.world.failover.reload(it.world.failover.plan);
  it.world.pass(10_000);
  assert.equal(it.router().state, 'FAULT');
  assert.equal(it.router().handedOver, true);
});

test('what is handed over is kept, what takes part again is not', () => {
  const kept: string[] = [];
  let failure: string | undefined;
  const it = active(one, {
    load: () => [],
    save: (all) => {
      kept.push(all.map(({ router }) => router).join());
      return failure;
    },
  });
  it.ask('handover');
  const { handedOverSinceMs } = it.router();
  assert.equal(handedOverSinceMs, it.world.wall());
  it.world.pass(5_000);
  // Nobody took over: it takes part again.
  assert.equal(it.router().handedOverSinceMs, undefined);
  failure = '/run/evergate: EROFS';
  it.ask('handover --force');
  it.world.pass(5_000);
  assert.ok(it.world.log.includes('the hand-over will not outlive this process: /run/evergate: EROFS'));
  assert.deepEqual(it.ask('resume'), { ok: true, resumed: ['VI_1'] });
  assert.deepEqual(kept, ['VI_1', '', 'VI_1', '']);
  assert.deepEqual(it.ask('resume'), { ok: true, resumed: [] });
});

test('a router that is handed over stays so under another name, and takes part again by that', () => {
  let kept: readonly { router: string }[] = [];
  const save = (now: typeof kept) => {
    kept = now;
    return undefined;
  };
  const it = active(one, { load: () => [], save });
  it.ask('handover --force');
  it.world.reload(instance('VI_2', 51, '10.42.0.240/24') + instance('VI_1', 52, '10.42.0.241/24'));
  assert.equal(it.router().state, 'FAULT');
  assert.ok(it.router().handedOverSinceMs !== undefined);
  assert.deepEqual(
    kept.map(({ router }) => router),
    ['VI_2'],
  );
  assert.deepEqual(it.ask('resume'), { ok: true, resumed: ['VI_2'] });
  it.world.pass(10_000);
  assert.equal(it.router().state, 'MASTER');
  assert.deepEqual(kept, []);
});

test('resume before anybody took over', () => {
  const it = active();
  it.ask('handover');
  it.ask('resume');
  assert.equal(it.progress().outcome, 'resumed');
  it.world.pass(10_000);
  assert.equal(it.router().state, 'MASTER');
});

test('a member of a sync group takes the whole group along', () => {
  const text = `${one}${instance('VI_2', 52, '10.42.0.241/24')}vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n`;
  const it = active(text);
  assert.deepEqual(
    it.ask('handover VI_2').handover.map(({ router }: HandoverProgress) => router),
    ['VI_1', 'VI_2'],
  );
  it.world.pass(1_501);
  const states = it.ask('status').status.routers.map(({ state }: RouterReport) => state);
  assert.deepEqual(states, ['MASTER', 'MASTER'], 'taken back together');
});

test('unknown names and questions are answered with what there is', () => {
  const it = active();
  assert.deepEqual(it.ask('handover VI_9'), {
    ok: false,
    error: 'unknown-router',
    message: 'no virtual router is called "VI_9"; there is: VI_1',
  });
  for (const line of ['', 'nonsense', '{"ask":"status"}']) assert.equal(it.ask(line).error, 'unknown-question');
});

test('passwords are told to root only', () => {
  const it = active();
  assert.equal(it.ask('settings', 0).settings[0].authentication.password, 'secret');
  assert.equal(it.ask('settings', 1000).settings[0].authentication.password, '');
  assert.equal(it.control.answer('settings', undefined).ok, true);
  assert.doesNotMatch(JSON.stringify(it.control.answer('settings', undefined)), /secret/);
});

const stranger = Uint8Array.of(2, 0, 0, 0, 0, 99);

test('somebody who claims a held address is told, and answered', () => {
  const it = active();
  const before = it.world.frames.length;
  it.world.claim('10.42.0.240', stranger);
  it.world.claim('10.42.0.240', stranger);
  assert.deepEqual(it.router().conflicts, [
    { address: '10.42.0.240', hardwareAddress: '02:00:00:00:00:63', ageMs: 0, count: 2, goesOn: true },
  ]);
  assert.equal(it.world.log.filter((line) => line.includes('address conflict: 02:00:00:00:00:63')).length, 1);
  assert.equal(it.world.frames.length, before + 1, 'announced once: RFC 5227 §2.4');
  it.world.pass(121_000);
  assert.deepEqual(it.router().conflicts, []);
});

test('while somebody claims an address it is asked for every two seconds, so that the end is known soon', () => {
  const it = active();
  const probes = () => it.world.frames.filter((frame) => frame[21] === 1 && frame[28] === 0).length;
  it.world.pass(40_000);
  const before = probes();
  for (let answer = 1; answer <= 3; answer++) {
    it.world.claim('10.42.0.240', stranger);
    it.world.claim('10.42.0.240', stranger);
    it.world.pass(2000);
    assert.equal(probes(), before + answer, 'one question for all claims');
  }
  assert.equal(it.router().conflicts[0].goesOn, true);
  it.world.pass(3001);
  assert.equal(it.router().conflicts[0].goesOn, false);
  it.world.pass(4000);
  const after = probes();
  it.world.pass(40_000);
  assert.ok(probes() <= after + 1, 'once a minute again');
});

test('nobody is asked over IPv6: what was seen lately counts', () => {
  const it = active(
    instance('VI_1', 51, '10.42.0.240/24\nfd00::240/64', 'version 3').replace(/authentication.*?}/s, ''),
  );
  it.world.claim('fd00::240', stranger);
  const before = it.world.frames.length;
  it.world.pass(10_000);
  assert.equal(it.world.frames.length, before);
  assert.equal(it.router().conflicts[0]?.goesOn, true);
  it.world.pass(50_001);
  assert.equal(it.router().conflicts[0]?.goesOn, false);
});

test('a frame of our own other interface is no conflict', () => {
  const it = active();
  it.world.claim('10.42.0.240', Uint8Array.of(2, 0, 0, 0, 0, 1));
  assert.deepEqual(it.router().conflicts, []);
});

test('held addresses are asked for once a minute, and nobody listens when nothing is held', () => {
  const it = active();
  const probes = () =>
    it.world.frames.filter((frame) => frame[21] === 1 && frame.subarray(28, 32).every((byte) => byte === 0));
  assert.equal(probes().length, 1, 'one second after taking the address');
  it.world.pass(120_000);
  assert.equal(probes().length, 3);
  it.ask('handover --force');
  it.world.claim('10.42.0.240', stranger);
  assert.deepEqual(it.router().conflicts, []);
  it.world.pass(120_000);
  assert.equal(probes().length, 3);
});

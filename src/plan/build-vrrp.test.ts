import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKeepalived } from '../config/keepalived/parse.ts';
import { buildVrrpPlan } from './build-vrrp.ts';

/** The router of one instance with these words, and every warning as `line: message`. */
function build(words: string, before = '') {
  const text = `${before}\nvrrp_instance A {\ninterface v0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.9.9.9/32\n}\n${words}\n}\n`;
  const parsed = parseKeepalived([{ path: 'k.conf', text }], { configId: 'lb', readFiles: () => [] });
  const { plan, diagnostics } = buildVrrpPlan(parsed.config, { hostname: 'lb' });
  const lines = text.split('\n');
  const warnings = [...parsed.diagnostics, ...diagnostics]
    .filter(({ severity }) => severity === 'warning')
    .map(({ place, message }) => `${lines[place.line - 1]}: ${message}`);
  return { plan: plan!, router: plan!.routers[0]!, warnings };
}

test('a group of global_defs that is no multicast is told once, though no instance uses it', () => {
  const { warnings } = build('', 'global_defs {\nvrrp_mcast_group6 fe80::1\nvrrp_mcast_group4 10.0.0.1\n}');
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /^vrrp_mcast_group4 10\.0\.0\.1: .* is ignored/);
  assert.match(warnings[1]!, /^vrrp_mcast_group6 fe80::1: .* is ignored/);
});

test('a gateway of the other family: the line is left out, or its next hops from there on', () => {
  for (const line of [
    '10.1.0.0/16 via fe80::1 dev v0',
    '2001:db8::/32 via 10.9.9.1 dev v0',
    'via 10.9.9.1 ::/0 dev v0',
  ]) {
    const { router, warnings } = build(`virtual_routes {\n${line}\n}`);
    assert.deepEqual(router.routes, [], line);
    assert.equal(warnings.length, 1, line);
    assert.ok(warnings[0]!.startsWith(`${line}: `) && warnings[0]!.includes('the line is left out'));
  }
  const { router } = build('virtual_routes {\n10.1.0.0/16 nexthop via 10.9.9.1 dev v0 nexthop via fe80::1 dev v0\n}');
  assert.deepEqual(router.routes[0]!.words, ['10.1.0.0/16', 'nexthop', 'via', 'inet', '10.9.9.1', 'dev', 'v0']);
});

test('ports of a rule are ranges: without one the word is left out; uidrange: the line', () => {
  const rule = (text: string) => build(`virtual_rules {\nfrom 10.1.0.0/16 ${text} preference 100 table 7\n}`);
  for (const word of ['dport', 'sport']) {
    const { router, warnings } = rule(`${word} 80`);
    assert.ok(!router.rules[0]!.words.includes(word));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /every port/);
    assert.deepEqual(rule(`${word} 80-80`).warnings, []);
  }
  assert.deepEqual(rule('uidrange 3').router.rules, []);
  assert.equal(rule('uidrange 3-3').router.rules.length, 1);
});

test('weights out of range: the end of the range or what holds without them', () => {
  const file = 'track_file f {\nfile /f\nweight 7\n}';
  assert.equal(build('', file.replace('7', '255')).plan.files[0]!.weight, 1);
  assert.equal(build('', file.replace('7', '-254')).plan.files[0]!.weight, -254);
  const onLine = (weight: string) => build(`track_file {\nf weight ${weight}\n}`, file);
  assert.equal(onLine('255').router.trackFiles[0]!.weight, 7);
  assert.equal(onLine('255').warnings.length, 1);
  const onInterface = (weight: string) => build(`track_interface {\neth1 weight ${weight}\n}`);
  assert.equal(onInterface('-254').router.trackInterfaces[0]!.weight, -253);
  assert.equal(onInterface('-254').warnings.length, 1);
  assert.equal(onInterface('300').router.trackInterfaces[0]!.weight, 0);
});

test('a word without effect is still checked: debug goes to 4', () => {
  assert.deepEqual(build('debug 4').warnings, []);
  assert.match(build('debug 9').warnings[0]!, /^debug 9: '9' is not a whole number/);
});

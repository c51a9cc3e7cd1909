import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHaproxy } from '../config/haproxy/parse.ts';
import { type BalancerWorld, namesToResolve } from './balancer-world.ts';
import { buildBalancerPlan } from './build-balancer.ts';

const world: BalancerWorld = {
  hostname: 'host',
  processors: 3,
  addresses: new Map([
    [
      'two.example',
      [
        { family: 'ipv6', host: '2001:db8::2' },
        { family: 'ipv4', host: '192.0.2.2' },
      ],
    ],
  ]),
  readFile: () => 'No such file or directory',
  userId: () => undefined,
  groupId: () => undefined,
};

const timeouts = ' timeout client 1s\n timeout connect 1s\n timeout server 1s\n';

function parsed(text: string) {
  return parseHaproxy([{ path: 'a.cfg', text }], []);
}

function build(text: string) {
  return buildBalancerPlan(parsed(text).config, world);
}

function planOf(text: string) {
  const { plan, diagnostics } = build(text);
  assert.ok(plan !== undefined, diagnostics.map((one) => one.message).join('; '));
  return plan;
}

test('a plan is frozen all the way down', () => {
  const plan = planOf(`listen l\n mode http\n bind :80\n${timeouts} server a 192.0.2.1:80 check\n`);
  assert.throws(() => Object.assign(plan.backends[0]!.servers[0]!.check!, { rise: 9 }), TypeError);
  assert.throws(() => (plan.frontends as unknown[]).push(1), TypeError);
});

test('every name whose address is needed is asked for once, literals never', () => {
  const { config } = parsed(
    `global\n log syslog.example local0\ndefaults\n log other.example local0\n source src.example\n` +
      `listen l\n bind own.example:80,127.0.0.1:81\n server a two.example:80 addr check.example\n server b two.example:80\n server c 192.0.2.1:80\n`,
  );
  assert.deepEqual([...namesToResolve(config)].sort(), [
    'check.example',
    'other.example',
    'own.example',
    'src.example',
    'syslog.example',
    'two.example',
  ]);
});

test("the resolver's first address counts, unless the family is forced", () => {
  const { backends } = planOf(
    `listen l\n bind :80\n${timeouts} server a two.example:80\n server b ipv4@two.example:80\n server c nowhere.example:80 init-addr last,libc,none\n`,
  );
  const [a, b, c] = backends[0]!.servers;
  assert.deepEqual(a!.address, { family: 'ipv6', host: '2001:db8::2', port: 80 });
  assert.deepEqual(b!.address, { family: 'ipv4', host: '192.0.2.2', port: 80 });
  assert.equal(c!.address, undefined);
  assert.equal(c!.hostname, 'nowhere.example');
});

test('ids count on over servers that have one of their own, as in HAProxy', () => {
  const { backends } = planOf(
    `listen l\n bind :80\n${timeouts} server a 192.0.2.1:80\n server b 192.0.2.1:81 id 3\n server c 192.0.2.1:82\n server d 192.0.2.1:83\n`,
  );
  assert.deepEqual(
    backends[0]!.servers.map(({ id }) => id),
    [1, 3, 4, 5],
  );
});

test('fullconn is a tenth of the maxconn of the frontends that use the backend', () => {
  const text = (maxconn: string): string =>
    `${maxconn}frontend f\n maxconn 150\n bind :80\n timeout client 1s\n default_backend b\nfrontend g\n bind :81\n timeout client 1s\n default_backend b\nbackend b\n`;
  assert.equal(planOf(text('global\n maxconn 1000\n')).backends[0]!.fullconn, 115);
  assert.equal(planOf(text('')).backends[0]!.fullconn, 15);
});

test('nothing said about redispatch is not the same as redispatch forbidden', () => {
  const of = (line: string) => planOf(`listen l\n bind :80\n${timeouts} ${line}\n`).backends[0]!;
  const choices = ['', 'option redispatch', 'option redispatch 3', 'no option redispatch'].map((line) => {
    const { redispatch, freeRedispatch } = of(line);
    return [redispatch, freeRedispatch];
  });
  assert.deepEqual(choices, [
    [0, true],
    [-1, false],
    [3, false],
    [0, false],
  ]);
});

test('zero-warning makes a warning fatal', () => {
  const text = 'listen l\n bind :80\n';
  assert.ok(build(text).plan !== undefined);
  const strict = build(`global\n zero-warning\n${text}`);
  assert.equal(strict.plan, undefined);
  assert.match(strict.diagnostics.at(-1)!.message, /zero-warning/);
  const parserWarned = build(`global\n zero-warning\nfrontend f\n bind :80\n timeout client 1s\n balance first\n`);
  assert.match(parserWarned.diagnostics[0]!.message, /zero-warning/);
});

test('a fault in defaults is told once, not for every proxy', () => {
  const { diagnostics } = build(
    `defaults\n mode http\n errorfile 503 /missing\n${timeouts}listen a\n bind :80\nlisten b\n bind :81\n`,
  );
  assert.deepEqual(
    diagnostics.map(({ code, place }) => [code, place.line]),
    [['unreadable-file', 3]],
  );
});

test('no plan from a configuration with a refused line, and no complaint about what that line may have said', () => {
  const { plan, diagnostics } = build(`frontend f\n bind :80 ssl\n acl x path /\n`);
  assert.equal(plan, undefined);
  assert.deepEqual(diagnostics, []);
});

test('a configuration without a listener says so', () => {
  assert.match(build('backend b\n').diagnostics[0]!.message, /no enabled listener/);
});

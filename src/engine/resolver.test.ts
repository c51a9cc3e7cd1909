/** Who is asked when, and what answers mean, in virtual time (manual 5.3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendPlan, balancerPlan } from '../../test/fixtures/balancer-plan.ts';
import { FakeClock } from '../../test/fixtures/checked-servers.ts';
import type { InetAddress, IpAddress, IpFamily } from '../core/address.ts';
import type { ServerPlan } from '../plan/balancer.ts';
import { type NameAnswer, Resolver } from './resolver.ts';

const section = {
  name: 'local',
  nameservers: [],
  resolveRetries: 3,
  timeoutResolveMs: 1000,
  timeoutRetryMs: 1000,
  holdMs: { valid: 10_000, nx: 30_000, refused: 5_000, timeout: 20_000, other: 30_000, obsolete: 0 },
  parseResolvConf: false,
};

const v4 = (host: string): IpAddress => ({ family: 'ipv4', host });
const v6 = (host: string): IpAddress => ({ family: 'ipv6', host });
const valid = (...addresses: IpAddress[]): NameAnswer => ({ status: 'valid', addresses });

class World {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly addresses: (InetAddress | undefined)[];
  readonly resolver: Resolver;
  #waiting: ((answer: NameAnswer) => void)[] = [];

  constructor(servers: readonly Partial<ServerPlan>[], obsolete = 0) {
    const templates = servers.map((one) => ({ resolvers: 0, port: 80, address: undefined, ...one }));
    const plan = {
      ...balancerPlan([backendPlan(templates)]),
      resolvers: [{ ...section, holdMs: { ...section.holdMs, obsolete } }],
    };
    this.addresses = plan.backends[0]!.servers.map(({ address }) => address as InetAddress | undefined);
    this.resolver = new Resolver(plan, {
      clock: this.clock,
      names: {
        ask: (_, name: string, family: IpFamily, answered) => {
          this.asked.push(`${name} ${family} ${this.clock.now()}`);
          this.#waiting.push(answered);
        },
        close: () => {},
      },
      addressOf: (_, server) => this.addresses[server],
      changed: (_, server, address, { cause }) => {
        this.addresses[server] = address;
        this.told.push(`${server} ${address === undefined ? cause : `${address.host}:${address.port}`}`);
      },
    });
    this.resolver.start();
  }

  answer(...answers: NameAnswer[]): void {
    for (const answer of answers) this.#waiting.shift()!(answer);
  }

  news(): string[] {
    return this.told.splice(0);
  }
}

test('both families in turn, the preferred one first; then again after hold valid, or timeout resolve', () => {
  const world = new World([{ hostname: 'a' }]);
  world.answer({ status: 'nx' }, valid(v4('192.0.2.1')));
  assert.deepEqual(world.asked, ['a ipv6 0', 'a ipv4 0']);
  assert.deepEqual(world.news(), ['0 192.0.2.1:80']);
  world.clock.advance(10_000);
  assert.deepEqual(world.asked.slice(2), ['a ipv6 10000']);
  world.answer({ status: 'timeout' }, { status: 'timeout' });
  world.clock.advance(1000);
  assert.deepEqual(world.asked.slice(4), ['a ipv6 11000']);
});

test('a bad answer counts once no good one came for its hold', () => {
  const world = new World([
    { hostname: 'a', resolvePrefer: 'ipv4', address: { family: 'ipv4', host: '192.0.2.1', port: 80 } },
  ]);
  for (let at = 0; at < 5000; at += 1000) {
    world.answer({ status: 'refused' }, { status: 'refused' });
    assert.deepEqual(world.news(), [], `after ${at} ms`);
    world.clock.advance(1000);
  }
  world.answer({ status: 'refused' }, { status: 'refused' });
  assert.deepEqual(world.news(), ['0 DNS refused status']);
  world.clock.advance(1000);
  world.answer(valid(v4('192.0.2.9')));
  assert.deepEqual(world.news(), ['0 192.0.2.9:80']);
});

test('servers of one name share the question and not the address; who has one keeps it', () => {
  const world = new World([{ hostname: 'a' }, { hostname: 'a' }, { hostname: 'a' }]);
  world.answer(valid(v6('2001:db8::1'), v6('2001:db8::2')));
  assert.equal(world.asked.length, 1);
  assert.deepEqual(world.news(), ['0 2001:db8::1:80', '1 2001:db8::2:80']);
  world.clock.advance(10_000);
  world.answer(valid(v6('2001:db8::3'), v6('2001:db8::2')));
  assert.deepEqual(world.news(), ['0 2001:db8::3:80']);
  world.clock.advance(10_000);
  world.answer(valid(v6('2001:db8::3')));
  assert.deepEqual(world.news(), ['1 No IP for server']);
});

test('hold obsolete keeps an address that an answer no longer has', () => {
  const world = new World([{ hostname: 'a' }], 15_000);
  world.answer(valid(v6('2001:db8::1')));
  world.news();
  for (const expected of [[], ['0 2001:db8::2:80']]) {
    world.clock.advance(10_000);
    world.answer(valid(v6('2001:db8::2')));
    assert.deepEqual(world.news(), expected);
  }
});

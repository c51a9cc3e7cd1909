/** The suite that every algorithm passes, then what is special about each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeServers } from '../../../test/fixtures/balance-servers.ts';
import type { BalanceChoice } from './create.ts';
import { crc32, djb2, sdbm, wt6 } from './hash.ts';
import { BalanceKey, type KeyChoice } from './key.ts';

const choices: readonly Partial<BalanceChoice>[] = [
  { algorithm: 'roundrobin' },
  { algorithm: 'static-rr' },
  { algorithm: 'leastconn' },
  { algorithm: 'first' },
  { algorithm: 'random' },
  { algorithm: 'source' },
  { algorithm: 'uri', hashMethod: 'consistent' },
  { algorithm: 'hdr', hashMethod: 'consistent', hashBalanceFactor: 125 },
];
const hashed = ['source', 'uri', 'hdr'];

for (const choice of choices) {
  const name = `${choice.algorithm} ${choice.hashMethod ?? ''}`.trim();

  test(`${name}: only usable servers are chosen, whatever changes`, () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            weight: fc.integer({ min: 0, max: 20 }),
            backup: fc.boolean(),
            maxconn: fc.integer({ min: 0, max: 3 }),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        fc.boolean(),
        fc.array(
          fc.record({
            server: fc.nat(5),
            weight: fc.integer({ min: 0, max: 20 }),
            hash: fc.integer({ min: -1, max: 1000 }),
          }),
          { maxLength: 60 },
        ),
        (plan, allBackups, steps) => {
          const servers = new FakeServers(choice, plan, allBackups);
          const holding: number[] = [];
          for (const step of steps) {
            const server = step.server % plan.length;
            const isStatic = ['static-rr', 'first', 'source'].includes(choice.algorithm ?? '');
            // Weights that can't change while running go to 0 (down) and back.
            if (step.hash % 3 === 0)
              servers.setWeight(server, isStatic && step.weight > 0 ? plan[server].weight : step.weight);
            const { active, backups, firstBackup } = servers.summary;
            const chosen = servers.pick(
              step.hash === -1 ? -1 : Math.imul(step.hash, 2_654_435_761) >>> 0,
              step.server - 3,
            );
            if (active + backups === 0) assert.equal(chosen, -1);
            if (chosen >= 0) {
              assert.ok(servers.weights[chosen] > 0);
              assert.equal(servers.backup[chosen], active === 0);
              if (active === 0 && !allBackups) assert.equal(chosen, firstBackup);
              const waitsThere = active === 0 || (hashed.includes(choice.algorithm ?? '') && step.hash >= 0);
              if (!waitsThere) assert.ok(servers.hasRoom(chosen) || servers.hasRoomInQueue(chosen));
              servers.take(chosen);
              holding.push(chosen);
            }
            if (holding.length > 4) servers.release(holding.shift()!);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`${name}: a server to avoid is passed over while there is another`, () => {
    const servers = new FakeServers(choice, [{ weight: 3 }, { weight: 1 }, { weight: 2 }]);
    const alone = new FakeServers(choice, [{}]);
    for (let turn = 0; turn < 20; turn++) {
      const hash = hashed.includes(choice.algorithm ?? '') ? turn * 97_003_211 : -1;
      assert.notEqual(servers.pick(hash, 0), 0);
      assert.equal(alone.pick(hash, 0), 0);
    }
  });
}

for (const algorithm of ['roundrobin', 'static-rr'] as const) {
  test(`${algorithm}: equal servers take turns in order of declaration`, () => {
    assert.deepEqual(new FakeServers({ algorithm }, [{}, {}, {}]).turns(7), [0, 1, 2, 0, 1, 2, 0]);
  });

  test(`${algorithm}: each server's share of a cycle is exactly its weight`, () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const servers = new FakeServers(
          { algorithm },
          weights.map((weight) => ({ weight })),
        );
        const sum = weights.reduce((a, b) => a + b);
        for (let cycle = 0; cycle < 3; cycle++) {
          const counts = weights.map(() => 0);
          for (const server of servers.turns(sum)) counts[server]++;
          // Round-robin's cycle is counted in sixteenths of a weight, so a turn may fall on the other side of its border.
          counts.forEach((count, server) => {
            assert.ok(
              Math.abs(count - weights[server]) <= (algorithm === 'static-rr' ? 0 : 1),
              `${counts} of ${weights}`,
            );
          });
        }
      }),
    );
  });
}

test('leastconn: fewest requests for its weight first, equal ones in turn', () => {
  const servers = new FakeServers({ algorithm: 'leastconn' }, [{}, {}, {}]);
  assert.deepEqual(servers.turns(6), [0, 1, 2, 0, 1, 2]);
  servers.take(0);
  servers.take(0);
  servers.take(1);
  assert.equal(servers.pick(), 2);
  servers.take(2);
  servers.take(2);
  assert.equal(servers.pick(), 1);
});

test('first: fills the lowest id before it goes on', () => {
  const servers = new FakeServers({ algorithm: 'first' }, [
    { maxconn: 2, id: 9 },
    { maxconn: 2, id: 4 },
  ]);
  const chosen = Array.from({ length: 5 }, () => {
    const server = servers.pick();
    if (server >= 0) servers.take(server);
    return server;
  });
  assert.deepEqual(chosen, [1, 1, 0, 0, -1]);
});

test('consistent: a lost server moves only its own keys', () => {
  const servers = new FakeServers({ algorithm: 'uri', hashMethod: 'consistent' }, [{}, {}, {}, {}]);
  const hashes = Array.from({ length: 500 }, (_, index) => Math.imul(index + 1, 2_654_435_761) >>> 0);
  const before = hashes.map((hash) => servers.pick(hash));
  servers.setWeight(2, 0);
  hashes.forEach((hash, index) => {
    if (before[index] !== 2) assert.equal(servers.pick(hash), before[index]);
    else assert.notEqual(servers.pick(hash), 2);
  });
  servers.setWeight(2, 1);
  assert.deepEqual(
    hashes.map((hash) => servers.pick(hash)),
    before,
  );
});

test('hash-balance-factor: no server gets more than its share times the factor', () => {
  const servers = new FakeServers({ algorithm: 'uri', hashMethod: 'consistent', hashBalanceFactor: 150 }, [
    {},
    {},
    {},
    {},
  ]);
  for (let request = 1; request <= 100; request++) {
    const server = servers.pick(12_345); // everyone asks for the same
    servers.take(server);
    assert.ok(servers.served[server] <= Math.ceil((1.5 * request) / 4) + 1);
  }
});

const text = new TextEncoder();
const key: KeyChoice = {
  algorithm: 'uri',
  uriWhole: false,
  uriLength: 0,
  uriDepth: 0,
  uriPathOnly: false,
  headerName: 'Host',
  headerDomainOnly: false,
  hashFunction: 'sdbm',
  hashAvalanche: false,
};
const hashOf = (choice: Partial<KeyChoice>, value: string) => {
  const bytes = text.encode(`--${value}--`);
  return new BalanceKey({ ...key, ...choice }).hash(bytes, 2, bytes.length - 2);
};
const plain = (value: string) => sdbm(text.encode(value), 0, text.encode(value).length);

test('hash functions give their published values', () => {
  const bytes = text.encode('123456789');
  assert.equal(crc32(bytes, 0, 9), 0xcbf43926); // the CRC-32 check value
  assert.equal(djb2(text.encode('hello'), 0, 5), 261_238_937);
  assert.equal(sdbm(text.encode('a'), 0, 1), 97);
  assert.equal(wt6(bytes, 0, 0), (0xa53c965a ^ 0x5ca6953a) >>> 0);
});

test('what of a target counts', () => {
  assert.equal(hashOf({}, '/a/b?c=d'), plain('/a/b'));
  assert.equal(hashOf({ uriWhole: true }, '/a/b?c=d'), plain('/a/b?c=d'));
  assert.equal(hashOf({ uriLength: 4 }, '/a/b/c'), plain('/a/b'));
  assert.equal(hashOf({ uriDepth: 1 }, '/a/b/c'), plain('/a'));
  assert.equal(hashOf({ uriDepth: 2 }, '/a/b/c'), plain('/a/b'));
  assert.equal(hashOf({ uriPathOnly: true }, 'http://h/a/b?c'), plain('/a/b'));
  assert.equal(hashOf({ uriPathOnly: true }, 'http://h'), plain(''));
});

test('what of a field counts', () => {
  const choice = { algorithm: 'hdr' };
  assert.equal(hashOf(choice, 'one, two'), plain('one'));
  assert.equal(hashOf(choice, ''), -1);
  assert.equal(hashOf({ ...choice, headerDomainOnly: true }, 'www.example.org'), plain('example'));
  assert.equal(hashOf({ ...choice, headerDomainOnly: true }, 'example.org'), plain('example'));
  assert.equal(hashOf({ ...choice, headerDomainOnly: true }, 'localhost'), plain('localhost'));
});

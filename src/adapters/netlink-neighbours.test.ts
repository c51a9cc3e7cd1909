import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterNetworkNamespace, ip } from '../../test/namespaces/enter.ts';
import { needs } from '../../test/requirements.ts';
import type { NetlinkMessage, ReceivedMessage } from './netlink-message.ts';
import { askUnanswered, dumpNeighbours, neighbourMessage, parseUnanswered } from './netlink-neighbours.ts';
import { NetlinkRequester } from './netlink-socket.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Bodies in the kernel's order: ndmsg, NDA_DST, NDA_LLADDR, NDA_PROBES, NDA_CACHEINFO. */
const entry = (given: { family?: string; index?: string; state: string; flags?: string; address?: string }) =>
  hex(
    `${given.family ?? '02'} 000000 ${given.index ?? '02000000'} ${given.state}00 ${given.flags ?? '00'} 01` +
      `${given.address ?? '0800 0100 0a2a0087'} 0800 0400 01000000` +
      '1400 0300 00000000 00000000 00000000 00000000',
  );
const unanswered = { family: 2, interfaceIndex: 2, address: hex('0a2a0087') };

test('unanswered are INCOMPLETE and FAILED entries of IPv4 and IPv6, and no others', () => {
  assert.deepEqual(parseUnanswered(entry({ state: '01' })), unanswered);
  assert.deepEqual(parseUnanswered(entry({ state: '20' })), unanswered);
  const address = hex('fe800000000000000000000000000009');
  assert.deepEqual(
    parseUnanswered(entry({ family: '0a', state: '01', address: `1400 0100 ${Buffer.from(address).toString('hex')}` })),
    { family: 10, interfaceIndex: 2, address },
  );
  // Nothing known, reachable, stale, delay, probe, noarp, permanent.
  for (const state of ['00', '02', '04', '08', '10', '40', '80'])
    assert.equal(parseUnanswered(entry({ state })), undefined, state);
  // AF_BRIDGE: where a bridge forwards to.
  assert.equal(
    parseUnanswered(entry({ family: '07', state: '01', address: '0a00 0200 020000000001 0000' })),
    undefined,
  );
  assert.equal(parseUnanswered(entry({ state: '01', address: '0600 0100 0a2a 0000' })), undefined, 'cut short');
  assert.equal(parseUnanswered(hex('0200')), undefined);
});

test('an entry that a control plane keeps is left to it', () => {
  assert.equal(parseUnanswered(entry({ state: '20', flags: '10' })), undefined, 'NTF_EXT_LEARNED');
  const managed = new Uint8Array([...entry({ state: '01' }), ...hex('0800 0f00 01000000')]);
  assert.equal(parseUnanswered(managed), undefined, 'NTF_EXT_MANAGED');
});

test('the dump is of one interface, and a question is: know nothing, then use', () => {
  assert.equal(
    Buffer.from(dumpNeighbours(2).finish(7)).toString('hex'),
    '24000000 1e00 0103 07000000 00000000 000000000000000000000000 0800 0800 02000000'.replaceAll(' ', ''),
  );
  const message = (flags: number) => Buffer.from(neighbourMessage(unanswered, flags).finish(8)).toString('hex');
  const expected = (flags: string) =>
    `24000000 1c00 0500 08000000 00000000 02000000 02000000 0000 ${flags} 00 0800 0100 0a2a0087`.replaceAll(' ', '');
  assert.equal(message(0), expected('00'));
  assert.equal(message(1), expected('01'));
});

/** A kernel with these entries, that answers changes so. */
function kernel(bodies: readonly Uint8Array[], answers: readonly (string | undefined)[]) {
  const sent: string[] = [];
  return {
    sent,
    dump: (): ReceivedMessage[] => bodies.map((body) => ({ type: 28, flags: 2, sequence: 1, port: 1, body })),
    change: (message: NetlinkMessage) => {
      const bytes = Buffer.from(message.finish(1));
      sent.push(`${bytes.subarray(-4).toString('hex')} ${bytes[16 + 10]}`);
      return answers[sent.length - 1];
    },
  };
}

test('every unanswered one of the interface is asked for, and those of others are not', () => {
  const other = entry({ state: '01', index: '03000000' });
  const { sent, ...requester } = kernel(
    [entry({ state: '01' }), entry({ state: '02' }), other, entry({ state: '20' })],
    [],
  );
  assert.equal(askUnanswered(requester, 2), undefined);
  assert.deepEqual(sent, ['0a2a0087 0', '0a2a0087 1', '0a2a0087 0', '0a2a0087 1']);
});

test('what is gone meanwhile is no failure, what may not be done is', () => {
  const two = [entry({ state: '01' }), entry({ state: '01' })];
  assert.equal(askUnanswered(kernel(two, ['ENOENT']), 2), undefined);
  assert.equal(askUnanswered(kernel(two, ['EPERM', 'EINVAL']), 2), 'EPERM');
});

test('no more at once than a table holds by default', () => {
  const { sent, ...requester } = kernel(Array(2000).fill(entry({ state: '01' })), []);
  assert.equal(askUnanswered(requester, 2), undefined);
  assert.equal(sent.length, 2 * 1024);
});

test('the kernel asks anew for who has not answered, and leaves other neighbours as they are', {
  skip: needs('linux', 'root', 'namespaces', 'ip'),
}, () => {
  enterNetworkNamespace();
  ip('link add eth0 index 7 type veth peer name far0');
  for (const name of ['eth0', 'far0']) ip(`link set ${name} up`);
  const known = ['permanent', 'noarp', 'stale', 'reachable'];
  for (const [i, state] of known.entries())
    ip(`neigh replace 10.9.0.${20 + i} lladdr 02:00:00:00:00:09 dev eth0 nud ${state}`);
  for (const device of ['eth0', 'far0'])
    for (const address of ['10.9.0.30', '2001:db8::30']) ip(`neigh replace ${address} dev ${device} nud failed`);
  const requester = new NetlinkRequester();
  assert.equal(askUnanswered(requester, 7), undefined);
  const neighbours = ip('neigh show dev eth0 nud all');
  for (const [i, state] of known.entries())
    assert.match(neighbours, new RegExp(`10\\.9\\.0\\.${20 + i} lladdr 02:00:00:00:00:09 ${state.toUpperCase()}`));
  assert.match(neighbours, /^10\.9\.0\.30 INCOMPLETE/m);
  assert.match(neighbours, /^2001:db8::30 INCOMPLETE/m);
  assert.doesNotMatch(ip('neigh show dev far0 nud all'), /INCOMPLETE/);
  assert.equal(askUnanswered(requester, 4711), undefined, 'an interface that is gone has no neighbours');
  requester.close();
});

/** `multihop` of bfd_instance: another port (RFC 5883 §5), and two sessions with one neighbour that don't take each other's packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeControlPacket, multihopPort, singleHopPort } from '../../core/bfd/packet.ts';
import type { BfdSessionPlan } from '../../plan/vrrp.ts';
import type { ReceivedDatagram } from '../ports/datagrams.ts';
import { BfdSessions } from './bfd-sessions.ts';

const plan: BfdSessionPlan = {
  name: 'near',
  neighbor: '10.0.0.1',
  source: undefined,
  minRxMs: 50,
  minTxMs: 50,
  idleTxMs: 1000,
  multiplier: 3,
  passive: false,
  ttl: 255,
  maxHops: 0,
  weight: 0,
  reverse: false,
};

function host(plans: readonly BfdSessionPlan[]) {
  const heard = new Map<number, (datagram: ReceivedDatagram) => void>();
  const sentTo: number[] = [];
  const details: string[] = [];
  let discriminator = 0;
  const sessions = new BfdSessions(
    {
      clock: { now: () => 0, wall: () => 0, alarm: () => ({ set: () => {}, clear: () => {} }) },
      journal: { log: (_severity, message) => details.push(message), detail: (message) => details.push(message) },
      random: { uint32: () => ++discriminator },
      datagrams: {
        listen: (_family, port, received) => {
          heard.set(port, received);
          return { attend: () => {}, close: () => {} };
        },
        open: ({ port }) => ({ send: () => void sentTo.push(port), close: () => {} }),
        receiveWaiting: () => {},
      },
    },
    { lost: () => {}, changed: () => {}, moved: () => {}, answersOn: () => true },
  );
  sessions.configure(plans);
  sessions.timer(0);
  const payload = encodeControlPacket({
    state: 'down',
    diagnostic: 0,
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier: 3,
    myDiscriminator: 77,
    yourDiscriminator: 0,
    desiredMinTxMicros: 1_000_000,
    requiredMinRxMicros: 50_000,
    requiredMinEchoRxMicros: 0,
  });
  const begin = (port: number) =>
    heard.get(port)?.({
      interfaceIndex: 1,
      family: 'ipv4',
      source: '10.0.0.1',
      destination: '10.0.0.2',
      ttl: 255,
      payload,
      waitedMs: 0,
    });
  return { heard, sentTo, details, begin };
}

test('a multihop session speaks and listens on its own port, and hears no other', () => {
  const { heard, sentTo, details, begin } = host([plan, { ...plan, name: 'far', multihop: true }]);
  assert.deepEqual([...heard.keys()], [singleHopPort, multihopPort]);
  assert.deepEqual([...new Set(sentTo)], [singleHopPort, multihopPort]);
  begin(multihopPort);
  assert.deepEqual(details, ['(far) Entering Init state: neighbour heard']);
  begin(singleHopPort);
  assert.deepEqual(details.slice(1), ['(near) Entering Init state: neighbour heard']);
});

test('nobody who speaks on the multihop port first is answered: sessions that nobody wrote are single-hop', () => {
  const { sentTo, begin } = host([{ ...plan, neighbor: '10.0.0.9', multihop: true }]);
  const before = sentTo.length;
  begin(multihopPort);
  assert.equal(sentTo.length, before);
});

/** `virtual_rules` and `static_rules`: ip-rule(8)'s words as rtnetlink messages. A word that is not here is an error that names it. */
import type { IpFamily } from '../core/address.ts';
import { familyNumber } from './address-bytes.ts';
import { messageFlag, messageType, NetlinkMessage, viewOf } from './netlink-message.ts';
import { changeFlags } from './netlink-socket.ts';
import {
  type Attribute,
  type BuiltMessage,
  type Direction,
  parsePrefix,
  RTPROT_KEEPALIVED,
  realmsNumber,
  tableByte,
  tableNumber,
  text,
  uint32,
} from './route-words.ts';

const FRA = {
  dst: 1,
  src: 2,
  iif: 3,
  goto: 4,
  priority: 6,
  mark: 10,
  flow: 11,
  tunnel: 12,
  suppressGroup: 13,
  suppressPrefix: 14,
  table: 15,
  mask: 16,
  oif: 17,
  l3mdev: 19,
  uids: 20,
  protocol: 21,
  ipProtocol: 22,
  sourcePorts: 23,
  destinationPorts: 24,
};
const FIB_RULE_INVERT = 2;
const FR_ACT_TO_TBL = 1;
const FR_ACT_GOTO = 2;
const actions: Readonly<Record<string, number>> = { nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 };

/** Words whose value is one number in four bytes. */
const numbers: Readonly<Record<string, number>> = {
  priority: FRA.priority,
  suppress_prefixlength: FRA.suppressPrefix,
  suppress_ifgroup: FRA.suppressGroup,
};

/** @param words as after `ip rule add`. */
export function ruleMessage(direction: Direction, words: readonly string[], family: IpFamily): BuiltMessage {
  const body = new Uint8Array(12);
  const attributes: Attribute[] = [];
  let protocol = RTPROT_KEEPALIVED;
  body[0] = familyNumber(family);
  body[7] = FR_ACT_TO_TBL;
  let at = 0;
  const next = () => words[at++] ?? '';
  while (at < words.length) {
    const word = next();
    if (numbers[word] !== undefined) {
      attributes.push([numbers[word], uint32(Number(next()))]);
      continue;
    }
    switch (word) {
      case 'not':
        viewOf(body).setUint32(8, FIB_RULE_INVERT, true);
        break;
      case 'from':
      case 'to': {
        const prefix = parsePrefix(next(), family);
        if (prefix === undefined) return { failure: `${word} ${words[at - 1]}: not a prefix` };
        body[word === 'from' ? 2 : 1] = prefix.length;
        if (prefix.length > 0) attributes.push([word === 'from' ? FRA.src : FRA.dst, prefix.bytes]);
        break;
      }
      case 'table': {
        const table = tableNumber(next());
        if (table === undefined) return { failure: `table ${words[at - 1]}: not a number` };
        body[4] = tableByte(table);
        attributes.push([FRA.table, uint32(table)]);
        break;
      }
      case 'fwmark': {
        const [mark, mask] = next().split('/');
        attributes.push([FRA.mark, uint32(Number(mark))]);
        if (mask !== undefined) attributes.push([FRA.mask, uint32(Number(mask))]);
        break;
      }
      case 'iif':
        attributes.push([FRA.iif, text(next())]);
        break;
      case 'oif':
        attributes.push([FRA.oif, text(next())]);
        break;
      case 'tos':
        body[3] = Number(next());
        break;
      case 'realms': {
        const realms = realmsNumber(next());
        if (realms === undefined) return { failure: `realms ${words[at - 1]}: not [NUMBER/]NUMBER` };
        attributes.push([FRA.flow, uint32(realms)]);
        break;
      }
      case 'goto':
        body[7] = FR_ACT_GOTO;
        attributes.push([FRA.goto, uint32(Number(next()))]);
        break;
      case 'l3mdev':
        attributes.push([FRA.l3mdev, Uint8Array.of(1)]);
        break;
      case 'tun_id': {
        const identity = new Uint8Array(8);
        viewOf(identity).setBigUint64(0, BigInt(next()));
        attributes.push([FRA.tunnel, identity]);
        break;
      }
      case 'uidrange': {
        const [first, last] = range(next());
        attributes.push([FRA.uids, Uint8Array.of(...uint32(first), ...uint32(last))]);
        break;
      }
      case 'sport':
      case 'dport': {
        const ports = new Uint8Array(4);
        for (const [index, port] of range(next()).entries()) viewOf(ports).setUint16(2 * index, port, true);
        attributes.push([word === 'sport' ? FRA.sourcePorts : FRA.destinationPorts, ports]);
        break;
      }
      case 'ipproto':
        attributes.push([FRA.ipProtocol, Uint8Array.of(Number(next()))]);
        break;
      case 'protocol':
        protocol = Number(next());
        break;
      default: {
        const action = actions[word];
        if (action === undefined) return { failure: `${word}: not a word of ip rule that is known here` };
        body[7] = action;
      }
    }
  }
  attributes.push([FRA.protocol, Uint8Array.of(protocol)]);
  const message = new NetlinkMessage(
    direction === 'add' ? messageType.newRule : messageType.deleteRule,
    direction === 'add' ? changeFlags | messageFlag.create | messageFlag.exclusive : changeFlags,
    body,
  );
  for (const [type, value] of attributes) message.bytes(type, value);
  return { message };
}

/** `5` or `5-9`. */
function range(word: string): [number, number] {
  const [first, last] = word.split('-').map(Number);
  return [first!, last ?? first!];
}

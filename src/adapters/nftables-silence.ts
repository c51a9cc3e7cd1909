/**
 * Keeps the kernel from speaking by itself on a macvlan whose hardware address others have too: a switch that hears a backup with it sends
 * what is for the active router to the backup's port, until that router speaks again. Keepalived has the same rules.
 *
 * Each macvlan has a table, owned by the socket that makes it: it goes with the daemon.
 */
import type { SharedLink } from '../engine/ports/firewall.ts';
import type { NetlinkMessage } from './netlink-message.ts';
import {
  compare,
  duplicate,
  type Expression,
  hook,
  interfaceNumber,
  keyType,
  load,
  lookup,
  narrowRegisters,
  outgoingInterface,
  payload,
  protocolMeta,
  setFlag,
  TableBuilder,
  type TableSettings,
} from './nftables-message.ts';

const IGMP = 2;
const ICMPV6 = 58;
/** RFC 2710 §3, RFC 3810 §5.2: report, done, report of version 2. */
const listenerReports = [131, 132, 143];
/** RFC 4861 §4.1. */
const routerSolicitation = 133;

export function silencedTable({ interfaceIndex, family }: SharedLink, settings: TableSettings): TableBuilder {
  return new TableBuilder(family, { ...settings, table: `${settings.table}_vmac_${interfaceIndex}` });
}

export function silenceMessages(link: SharedLink, settings: TableSettings): NetlinkMessage[] {
  const build = silencedTable(link, settings);
  const leaves = [outgoingInterface(), compare(interfaceNumber(link.interfaceIndex)), protocolMeta()];
  const table = [...build.newTable(true), build.baseChain('out', hook.output)];
  if (link.family === 'ipv4')
    return [...table, build.rule('out', [...leaves, is(IGMP), ...moved(link, 16, 4), ...build.end('drop')])];
  const asks = [...leaves, is(ICMPV6), payload(2, 0, 1)];
  return [
    ...table,
    build.set('reports', keyType.icmpv6Type, 1, 1, setFlag.constant),
    build.add(
      'reports',
      listenerReports.map((type) => Uint8Array.of(type)),
    ),
    build.rule('out', [...asks, lookup('reports'), ...moved(link, 24, 16), ...build.end('drop')]),
    build.rule('out', [...asks, is(routerSolicitation), ...build.end('drop')]),
  ];
}

function is(octet: number): Expression {
  return compare(Uint8Array.of(octet));
}

/** To the same group, by the interface below, with its hardware address. @param at where the destination stands in the network header. */
function moved({ baseIndex }: SharedLink, at: number, length: number): Expression[] {
  const interfaceRegister = narrowRegisters + length / 4;
  return [
    payload(1, at, length, narrowRegisters),
    load(interfaceNumber(baseIndex), interfaceRegister),
    duplicate(narrowRegisters, interfaceRegister),
  ];
}

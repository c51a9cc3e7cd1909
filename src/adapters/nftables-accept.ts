/** The tables of `no_accept`: Keepalived's, so that `nft list ruleset` shows what operators know. */
import type { IpFamily } from '../core/address.ts';
import type { NetlinkMessage } from './netlink-message.ts';
import {
  compare,
  hook,
  interfaceMeta,
  interfaceNumber,
  keyType,
  lookup,
  mask,
  payload,
  setFlag,
  TableBuilder,
  type TableSettings,
} from './nftables-message.ts';

const neighbourSolicitation = 135;
const neighbourAdvertisement = 136;
const chains = { in: hook.input, out: hook.output } as const;

/** The table of a family, new and empty, whatever stood there under its name before. `owned`: see TableBuilder.newTable. */
export function tableMessages(family: IpFamily, settings: TableSettings, owned: boolean): NetlinkMessage[] {
  const build = new TableBuilder(family, settings);
  return [
    ...build.newTable(owned),
    build.baseChain('out', chains.out),
    build.baseChain('in', chains.in),
    ...(family === 'ipv4' ? ipv4Rules(build) : ipv6Rules(build)),
  ];
}

export function deleteTableMessage(family: IpFamily, settings: TableSettings): NetlinkMessage {
  return new TableBuilder(family, settings).deleteTable();
}

/** @param interfaceIndex of a link-local address, which means something on its interface only; else undefined. */
export function elementMessage(
  kind: 'add' | 'remove',
  family: IpFamily,
  address: Uint8Array,
  interfaceIndex: number | undefined,
  settings: TableSettings,
): NetlinkMessage {
  const key = interfaceIndex === undefined ? address : Uint8Array.of(...address, ...interfaceNumber(interfaceIndex));
  const set = interfaceIndex === undefined ? 'vips' : 'vips_link_local';
  return new TableBuilder(family, settings)[kind](set, [key]);
}

function ipv4Rules(build: TableBuilder): NetlinkMessage[] {
  return [
    build.set('vips', keyType.ipv4, 4, 1),
    build.rule('in', [payload(1, 16, 4), lookup('vips'), ...build.end('drop')]),
    build.rule('out', [payload(1, 12, 4), lookup('vips'), ...build.end('drop')]),
  ];
}

/** Neighbours must be able to ask for the address all the same. */
function ipv6Rules(build: TableBuilder): NetlinkMessage[] {
  const discovery = (chain: string) =>
    build.rule(chain, [
      payload(1, 6, 1),
      compare(Uint8Array.of(58)),
      payload(2, 0, 1),
      lookup('neighbor-discovery'),
      ...build.end('accept'),
    ]);
  const dropped = (chain: string, at: number) => [
    discovery(chain),
    build.rule(chain, [
      payload(1, at, 16),
      mask(linkLocal(0xff, 0xc0)),
      compare(linkLocal(0xfe, 0x80)),
      ...build.goTo(`${chain}_link_local`),
    ]),
    build.rule(chain, [payload(1, at, 16), lookup('vips'), ...build.end('drop')]),
  ];
  const linkLocalDropped = (which: 'in' | 'out', at: number) =>
    build.rule(`${which}_link_local`, [
      payload(1, at, 16),
      interfaceMeta(which),
      lookup('vips_link_local'),
      ...build.end('drop'),
    ]);
  return [
    build.chain('in_link_local'),
    build.chain('out_link_local'),
    build.set('vips', keyType.ipv6, 16, 1),
    build.set('neighbor-discovery', keyType.icmpv6Type, 1, 2, setFlag.constant),
    build.add('neighbor-discovery', [Uint8Array.of(neighbourSolicitation), Uint8Array.of(neighbourAdvertisement)]),
    build.set('vips_link_local', (keyType.ipv6 << 6) | keyType.interfaceIndex, 20, 3),
    ...dropped('in', 24),
    ...dropped('out', 8),
    linkLocalDropped('in', 24),
    linkLocalDropped('out', 8),
  ];
}

/** fe80::/10 */
function linkLocal(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = first;
  bytes[1] = second;
  return bytes;
}

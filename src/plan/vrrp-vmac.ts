/** use_vmac and use_ipvlan: the interface above the instance's own. */

import { type Entry, has, lastOf, nameOf } from '../config/keepalived/config.ts';
import type { Word } from '../config/keepalived/placed-text.ts';
import type { IpFamily } from '../core/address.ts';
import type { VmacSettings } from '../core/vrrp/settings.ts';
import type { IpvlanPlan } from './vrrp.ts';
import { isInterfaceName, readPrefixed } from './vrrp-addresses.ts';
import type { PlanContext } from './vrrp-context.ts';
import { resolveNumber } from './vrrp-routes.ts';

const macAddress = /^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){4,5}$/;

export function buildVmac(
  entry: Entry,
  given: { strict: boolean; unicast: boolean; family: IpFamily; virtualRouterId: number },
  context: PlanContext,
): VmacSettings | undefined {
  const { entries } = entry;
  const instance = nameOf(entry);
  const vmac = lastOf(entries, 'use_vmac');
  const base = lastOf(entries, 'vmac_xmit_base');
  if (vmac === undefined) {
    if (base !== undefined)
      context.warn('conflict', base.place, `(${instance}) vmac_xmit_base needs use_vmac: it is ignored`);
    return undefined;
  }
  if (given.unicast && !has(entries, 'interface')) {
    context.warn(
      'conflict',
      vmac.place,
      `(${instance}) use_vmac does not go with unicast and no interface: it is ignored`,
    );
    return undefined;
  }
  let name: string | undefined;
  let mac: string | undefined;
  let group: number | undefined;
  let tellsOfBase = false;
  for (let index = 0; index < vmac.arguments.length; index++) {
    const option = vmac.arguments[index]!.text;
    if (option === 'netlink_notify_msg') {
      tellsOfBase = true;
      continue;
    }
    if ((option === 'name' || option === 'group') && vmac.arguments[index + 1] === undefined) {
      context.warn('missing-argument', vmac.arguments[index]!.place, `(${instance}) '${option}' needs a value`);
      continue;
    }
    if (option === 'group') {
      group = readGroup(vmac.arguments[++index]!, instance, context);
      continue;
    }
    if (option === 'name') index++;
    const word = vmac.arguments[index]!;
    if (option !== 'name' && macAddress.test(word.text)) mac = readMac(word.text, given.virtualRouterId);
    else if (isInterfaceName(word.text)) name = word.text;
    else
      context.warn(
        'bad-value',
        word.place,
        `(${instance}) '${word.text}' is neither an interface name nor a MAC address: it is ignored`,
      );
  }
  if (mac !== undefined && (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) {
    context.warn('bad-value', vmac.place, `(${instance}) ${mac} is a multicast MAC address: it is ignored`);
    mac = undefined;
  }
  if (mac !== undefined && given.strict) {
    context.warn('conflict', vmac.place, `(${instance}) strict mode: the MAC address is the protocol's`);
    mac = undefined;
  }
  let transmitOnBase = base !== undefined;
  if (given.unicast && !transmitOnBase) {
    context.warn('conflict', vmac.place, `(${instance}) unicast with use_vmac needs vmac_xmit_base: it is set`);
    transmitOnBase = true;
  }
  if (given.strict && transmitOnBase && !given.unicast) {
    context.warn('conflict', base!.place, `(${instance}) strict mode has no vmac_xmit_base: it is ignored`);
    transmitOnBase = false;
  }
  // Without a name it gets one when all routers are known (vrrp-vmac-places.ts).
  return {
    name: name ?? '',
    transmitOnBase,
    macAddress: mac ?? virtualMacAddress(given.family, given.virtualRouterId),
    ...(group === undefined ? {} : { group }),
    ...(tellsOfBase ? { tellsOfBase } : {}),
  };
}

/** A number, or a name of /etc/iproute2/group. */
function readGroup(word: Word, instance: string, context: PlanContext): number | undefined {
  const group = Number(resolveNumber(word.text, { kind: 'group', max: 4_294_967_295 }, context));
  if (!Number.isNaN(group)) return group;
  context.warn('bad-value', word.place, `(${instance}) '${word.text}' is no interface group: it is ignored`);
  return undefined;
}

/** RFC 9568 §7.3. */
export function virtualMacAddress(family: IpFamily, virtualRouterId: number): string {
  return `00:00:5e:00:${family === 'ipv4' ? '01' : '02'}:${virtualRouterId.toString(16).padStart(2, '0')}`;
}

/** With five octets the virtual router id is the sixth (keepalived.conf(5), use_vmac). */
function readMac(text: string, virtualRouterId: number): string {
  const octets = text.split(':').map((octet) => octet.padStart(2, '0').toLowerCase());
  if (octets.length === 5) octets.push(virtualRouterId.toString(16).padStart(2, '0'));
  return octets.join(':');
}

/** `use_ipvlan [INTERFACE] [ADDRESS] [bridge|private|vepa]`. */
export function buildIpvlan(entries: readonly Entry[], family: IpFamily, context: PlanContext): IpvlanPlan | undefined {
  const entry = lastOf(entries, 'use_ipvlan');
  if (entry === undefined) return undefined;
  let name: string | undefined;
  let address: IpvlanPlan['address'];
  let mode: IpvlanPlan['mode'] = 'bridge';
  for (const word of entry.arguments) {
    const prefixed = readPrefixed(word.text);
    if (word.text === 'bridge' || word.text === 'private' || word.text === 'vepa') mode = word.text;
    else if (prefixed !== undefined) {
      if (prefixed.family === family) address = prefixed;
      else context.warn('conflict', word.place, `'${word.text}' is not of the instance's family: it is ignored`);
    } else if (isInterfaceName(word.text)) name = word.text;
    else context.warn('bad-value', word.place, `'${word.text}' is no interface name: it is ignored`);
  }
  return { name, address, mode };
}

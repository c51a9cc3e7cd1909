/**
 * What a plan asks for and this daemon does not do: said at the start, each by name, so that nobody relies on it. The rest of the
 * language is refused by the configuration's reader.
 */
import type { VrrpPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports.ts';

export function tellUndone(plan: VrrpPlan, journal: Journal): void {
  const undone = new Set<string>();
  const note = (asked: boolean, what: string) => {
    if (asked) undone.add(what);
  };
  note(plan.global.mail !== undefined, 'smtp_alert: no mail is sent');
  note(plan.global.networkNamespace !== undefined, 'net_namespace');
  note(plan.global.scheduling.processors.length > 0, 'vrrp_cpu_affinity');
  note(plan.global.interfaceDelays.length > 0, 'interface_up_down_delays');
  note(plan.global.disableLocalIgmp, 'disable_local_igmp');
  for (const { settings, ipvlan, vrf, receiveBufferBytes } of plan.routers) {
    note(receiveBufferBytes !== undefined, `kernel_rx_buf_size of (${settings.name}): it is 1 MiB`);
    note(!settings.accept, `no_accept of (${settings.name}): the addresses accept packets`);
    note(ipvlan !== undefined, `use_ipvlan of (${settings.name})`);
    note(vrf !== undefined, `vrf of (${settings.name})`);
    note(settings.vmac?.forAddresses === true, `use_vmac_addr of (${settings.name})`);
    note(settings.garp.extraInterfaces !== undefined, `garp_extra_if of (${settings.name})`);
  }
  for (const what of undone) journal.log('warning', `Not supported yet: ${what}`);
}

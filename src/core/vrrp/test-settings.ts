/** Settings for the tests of this folder and for the simulator: the seed's instance, with what a case changes. */

import type { VirtualAddress, VirtualRouterSettings } from './settings.ts';

export function settingsWith(changes: Partial<VirtualRouterSettings> = {}): VirtualRouterSettings {
  return { ...seedSettings, ...changes };
}

export function virtualAddress(address: string, changes: Partial<VirtualAddress> = {}): VirtualAddress {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  return {
    family,
    address,
    prefix: family === 'ipv4' ? 32 : 128,
    device: undefined,
    label: undefined,
    scope: undefined,
    broadcast: undefined,
    peer: undefined,
    home: false,
    noPrefixRoute: false,
    trackGroup: undefined,
    ...changes,
  };
}

const seedSettings: VirtualRouterSettings = {
  name: 'haproxy',
  interface: 'eth0',
  virtualRouterId: 51,
  version: 2,
  family: 'ipv4',
  basePriority: 100,
  advertisementIntervalMs: 1000,
  downTimerAdverts: 3,
  preempt: true,
  preemptDelayMs: 0,
  initialState: 'backup',
  addresses: [virtualAddress('10.42.0.240')],
  excludedAddresses: [],
  transport: { kind: 'multicast', group: '224.0.0.18', source: undefined },
  authentication: { kind: 'none' },
  checksumAsV2: false,
  accept: true,
  strict: false,
  skipCheckAdvertisedAddresses: false,
  addressListMismatchAccepted: false,
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  garp: {
    delayMs: 5000,
    repeat: 5,
    refreshMs: 0,
    refreshRepeat: 1,
    lowerPrioDelayMs: 5000,
    lowerPrioRepeat: 5,
    intervalMs: 0,
    naIntervalMs: 0,
  },
  resignIsImmediate: true,
  splitIsAnnounced: true,
  vmac: undefined,
  trackPrimaryInterface: true,
};

/**
 * What one virtual router is told: the input of the machine, of `election` and of the simulator.
 * RFC 9568 §6.1's parameters under their RFC names, with Keepalived's extensions beside them. Times are milliseconds.
 * The word MASTER of the configuration does not appear: what it means (see facts 17) is spelled out by plan.
 */

import type { IpFamily } from '../address.ts';

export interface VirtualRouterSettings {
  /** The instance's name in the configuration. */
  readonly name: string;
  /** Empty when left out, which only unicast allows. */
  readonly interface: string;
  readonly virtualRouterId: number; // 1..255
  readonly version: 2 | 3;
  readonly family: IpFamily;
  /** 1..254, or 255 for the address owner. Before weights. */
  readonly basePriority: number;
  readonly advertisementIntervalMs: number;
  /** Keepalived's down_timer_adverts, RFC: 3. */
  readonly downTimerAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelayMs: number;
  /** `state MASTER`: Keepalived starts as Backup all the same unless the priority is 255. Kept for logs and `explain`. */
  readonly initialState: 'backup' | 'active';
  readonly addresses: readonly VirtualAddress[];
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly transport: VrrpTransport;
  readonly authentication: VrrpAuthentication;
  /** v3 over IPv4 without the pseudo-header (`v3_checksum_as_v2`). */
  readonly checksumAsV2: boolean;
  /** Keepalived's: only the checksum that it would make itself is right. Absent: either is, for a receiver can tell. */
  readonly otherChecksumRefused?: boolean;
  readonly accept: boolean;
  readonly strict: boolean;
  readonly skipCheckAdvertisedAddresses: boolean;
  /** An advertisement with another address list is taken and logged (Keepalived from 2.3.3; dropping it, as 2.2.7 does, makes two masters). */
  readonly addressListMismatchAccepted: boolean;
  readonly lowerPrioNoAdvert: boolean;
  readonly higherPrioSendAdvert: boolean;
  readonly garp: GarpSettings;
  /** Take over at once on hearing priority 0 (ours; Keepalived waits out its skew). */
  readonly resignIsImmediate: boolean;
  /** Say a last word when stepping down before a higher router, so that the winner of a healed split announces at once (ours, default on;
   * Keepalived's higher_prio_send_advert does the same but speaks before it lets go of the addresses). */
  readonly splitIsAnnounced: boolean;
  /** `owner_ignore_adverts`, and strict mode, of a router with priority 255: while it is active, what others say is discarded. Absent: it counts. */
  readonly ownerIgnoresAdvertisements?: boolean;
  readonly vmac: VmacSettings | undefined;
  readonly trackPrimaryInterface: boolean;
  /** The kernel drops our addresses by itself when we no longer renew them (ours; `no_address_lease` turns it off). Absent: yes. */
  readonly addressesAreLeased?: boolean;
  /** A BFD session with the router that is followed (ours; `no_peer_bfd` turns it off). Absent: yes. */
  readonly peerBfd?: boolean;
  /** `track_src_ip`: FAULT while the transport's source address is not on the interface. Absent: no. */
  readonly trackSourceAddress?: boolean;
  /**
   * `timer_expired_backup`: an active router whose Adver_Timer came so late that a backup of this priority (1..254) would have taken
   * over assumes that it did. Absent: no.
   */
  readonly lateTimerPriority?: number;
}

export interface VirtualAddress {
  readonly family: IpFamily;
  readonly address: string;
  readonly prefix: number;
  readonly device: string | undefined; // other than the instance's interface
  readonly label: string | undefined;
  readonly scope: string | undefined; // number or name of ip-address(8)
  readonly broadcast: string | undefined;
  readonly peer: string | undefined;
  readonly home: boolean;
  readonly noPrefixRoute: boolean;
  readonly trackGroup: string | undefined;
  /** The words below are absent where the configuration does not write them. `-nodad`: skip IPv6 duplicate address detection. */
  readonly noDad?: boolean;
  /** `mngtmpaddr`: the kernel manages temporary addresses made from this one. */
  readonly manageTemporary?: boolean;
  /** `autojoin`: join the multicast group of this (multicast) address. */
  readonly autojoin?: boolean;
  /** `no_track`: a router stays active when somebody deletes the address. */
  readonly noTrack?: boolean;
  /** `use_vmac` on its line, or `use_vmac_addr`: `device` is a macvlan for it. */
  readonly onVmac?: boolean;
  /** `preferred_lft`, seconds; 0 deprecates the address (Keepalived's default for IPv6 with prefix 128). Absent: for ever. */
  readonly preferredLifetimeSec?: number;
}

export type VrrpTransport =
  | { readonly kind: 'multicast'; readonly group: string; readonly source: string | undefined }
  | {
      readonly kind: 'unicast';
      readonly source: string | undefined;
      /** Empty with `unicast_fault_no_peer` only: the router stays in FAULT. */
      readonly peers: readonly UnicastPeer[];
      readonly checkSource: boolean;
      readonly ttl: number | undefined;
      /** `old_unicast_checksum`: send Keepalived 1.3.6's version 3 checksum, or never look for it. Absent: follow what is heard. */
      readonly oldChecksum?: 'always' | 'never';
    };

export interface UnicastPeer {
  readonly address: string;
  readonly ttlMin: number | undefined;
  readonly ttlMax: number | undefined;
}

export type VrrpAuthentication =
  | { readonly kind: 'none' }
  | { readonly kind: 'pass'; readonly password: string } // first 8 characters count
  | { readonly kind: 'ah'; readonly password: string };

/** Gratuitous ARP and unsolicited neighbour advertisements: when, how often, how far apart. */
export interface GarpSettings {
  readonly delayMs: number; // second burst after becoming active, default 5000
  readonly repeat: number; // default 5
  readonly refreshMs: number; // 0 = never
  readonly refreshRepeat: number;
  readonly lowerPrioDelayMs: number;
  readonly lowerPrioRepeat: number;
  readonly intervalMs: number; // between two ARPs on one interface
  readonly naIntervalMs: number;
  /** `garp_extra_if`: refresh this often on other interfaces that hold addresses: only on macvlans, or on all. Absent: never. */
  readonly extraInterfaces?: { readonly intervalMs: number; readonly all: boolean };
}

export interface VmacSettings {
  readonly name: string;
  readonly transmitOnBase: boolean; // vmac_xmit_base
  /** Six octets with colons: RFC 9568 §7.3's 00:00:5e:00:01:VRID, or 00:00:5e:00:02:VRID for IPv6, or what the configuration says. */
  readonly macAddress: string;
  /** The macvlan's interface group. Absent: that of the interface below. */
  readonly group?: number;
  /** `netlink_notify_msg`: others are told of the interface below when the macvlan is made. Absent: no. */
  readonly tellsOfBase?: boolean;
}

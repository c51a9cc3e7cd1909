/**
 * The VRRP half's Plan: virtual routers, what they track, what is told to whom. Resolved, complete, frozen.
 */

import type { VirtualAddress, VirtualRouterSettings } from '../core/vrrp/settings.ts';

export interface VrrpPlan {
  readonly global: VrrpGlobalPlan;
  readonly routers: readonly VirtualRouterPlan[];
  readonly syncGroups: readonly SyncGroupPlan[];
  readonly scripts: readonly TrackedScriptPlan[];
  readonly files: readonly TrackedFilePlan[];
  readonly processes: readonly TrackedProcessPlan[];
  readonly bfdSessions: readonly BfdSessionPlan[];
  readonly staticAddresses: readonly VirtualAddress[];
  readonly staticRoutes: readonly RoutePlan[];
  readonly staticRules: readonly RulePlan[];
}

export interface VrrpGlobalPlan {
  readonly routerId: string;
  readonly startupDelayMs: number;
  /** vrrp_delay_after_boot: as startupDelayMs, counted from the boot of the machine. */
  readonly delayAfterBootMs: number;
  readonly realtimePriority: number; // vrrp_rt_priority, 0 = not asked
  readonly processPriority: number; // nice value, 0 = unchanged
  readonly noSwap: boolean;
  readonly scriptSecurity: boolean;
  readonly notifyFifo: NotifyFifoPlan | undefined;
  readonly vrrpNotifyFifo: NotifyFifoPlan | undefined;
  /** fifo_write_vrrp_states_on_reload. */
  readonly fifoStatesOnReload: boolean;
  readonly startupScript: TimedCommandPlan | undefined;
  readonly shutdownScript: TimedCommandPlan | undefined;
  readonly mail: MailPlan | undefined;
  readonly promoteSecondaries: boolean;
  readonly dynamicInterfaces: boolean;
  /** Where static addresses without dev go; Keepalived: eth0. */
  readonly defaultInterface: string;
  readonly logUnknownVrids: boolean;
  /** disable_local_igmp: net.ipv4.igmp_link_local_mcast_reports is 0 while the daemon runs. */
  readonly disableLocalIgmp: boolean;
  /** The nftables table of no_accept and macvlans. */
  readonly firewall: FirewallPlan;
  readonly scheduling: SchedulingPlan;
  /** linux process names; undefined: our own. */
  readonly vrrpProcessName: string | undefined;
  /** Of files that are made. */
  readonly umask: number;
  readonly networkNamespace: string | undefined;
  /** `instance NAME`: part of the pid files' names, and of the dumps' with data_use_instance. */
  readonly instanceName: string | undefined;
  readonly usePidDirectory: boolean;
  readonly dumpFilesUseInstance: boolean;
  /** Paths of the dumps: a folder when it ends in /, else the whole name; undefined: Keepalived's names in /tmp. */
  readonly dumpFiles: {
    readonly state: string | undefined;
    readonly stats: string | undefined;
    readonly json: string | undefined;
    readonly jsonVersion: 1 | 2;
  };
  /** interface_up_down_delays: how long an interface must be down (up) before it counts. */
  readonly interfaceDelays: readonly InterfaceDelayPlan[];
  readonly garpGroups: readonly GarpGroupPlan[];
}

export interface TimedCommandPlan {
  readonly command: CommandPlan;
  readonly timeoutMs: number;
}

export interface FirewallPlan {
  readonly table: string;
  readonly priority: number;
  readonly counters: boolean;
  readonly interfaceIndexes: boolean;
}

/** Beside realtimePriority, processPriority and noSwap. */
export interface SchedulingPlan {
  /** vrrp_cpu_affinity; empty: all. */
  readonly processors: readonly number[];
  /** vrrp_rlimit_rttime, microseconds. */
  readonly realtimeLimitUs: number;
  /** max_auto_priority: 0 none, -1 none and no word about it, 1..99 the highest. */
  readonly autoPriorityMax: number;
  readonly autoPriorityDelayUs: number;
}

export interface InterfaceDelayPlan {
  readonly interface: string;
  readonly downMs: number;
  readonly upMs: number;
}

/** The gaps hold between any two announcements on these interfaces taken together. Undefined: the global gap. */
export interface GarpGroupPlan {
  readonly interfaces: readonly string[];
  readonly garpIntervalMs: number | undefined;
  readonly naIntervalMs: number | undefined;
}

/** A command with its user, split as Keepalived splits it (no shell unless it names one). */
export interface CommandPlan {
  readonly argv: readonly string[];
  readonly user: string;
  /** Undefined: the user's. */
  readonly group: string | undefined;
  /** With the user's supplementary groups. Absent: with none. */
  readonly supplementaryGroups?: true;
}

export interface VirtualRouterPlan {
  readonly settings: VirtualRouterSettings;
  readonly trackScripts: readonly TrackReference[];
  readonly trackInterfaces: readonly TrackReference[];
  readonly trackFiles: readonly TrackReference[];
  readonly trackProcesses: readonly TrackReference[];
  readonly trackBfd: readonly TrackReference[];
  /** Names of track_group: FAULT while a static address, route or rule with such a name can't be there. Absent: none. */
  readonly trackGroups?: readonly string[];
  readonly routes: readonly RoutePlan[];
  readonly rules: readonly RulePlan[];
  readonly notify: NotifyPlan;
  readonly smtpAlert: boolean;
  /** Write priority changes to the notify FIFOs. */
  readonly notifyPriorityChanges: boolean;
  /** notify_deleted: say DELETED, not FAULT, when a reload removes the router. */
  readonly notifyDeleted: boolean;
  readonly promoteSecondaries: boolean;
  /** Macvlans for single addresses, whose `device` names one of them. Absent: none. */
  readonly addressVmacs?: readonly AddressVmacPlan[];
  readonly ipvlan: IpvlanPlan | undefined;
  /** With unicast and no interface. */
  readonly vrf: string | undefined;
  /** kernel_rx_buf_size, bytes. */
  readonly receiveBufferBytes: number | undefined;
}

export interface AddressVmacPlan {
  readonly name: string;
  /** Below it. */
  readonly interface: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly macAddress: string;
}

export interface IpvlanPlan {
  readonly name: string | undefined;
  readonly address: { readonly family: 'ipv4' | 'ipv6'; readonly address: string; readonly prefix: number } | undefined;
  readonly mode: 'bridge' | 'private' | 'vepa';
}

/** What is tracked (index into the plan's list; for interfaces the name) and what it does to the priority. Weight 0 = FAULT. */
export interface TrackReference {
  readonly target: number;
  readonly name: string;
  readonly weight: number; // -253..253
  readonly reverse: boolean;
}

export interface TrackedScriptPlan {
  readonly name: string;
  readonly command: CommandPlan;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly weight: number;
  readonly reverse: boolean;
  readonly rise: number;
  readonly fall: number;
  readonly initFail: boolean;
}

export interface TrackedFilePlan {
  readonly name: string;
  readonly path: string;
  readonly weight: number;
  readonly reverse: boolean;
  /** `init_file <value> [overwrite]`. */
  readonly initial: { readonly value: number; readonly overwrite: boolean } | undefined;
}

export interface TrackedProcessPlan {
  readonly name: string;
  readonly process: string;
  readonly parameters: string | undefined;
  readonly paramMatch: 'initial' | 'partial' | 'exact';
  readonly weight: number;
  readonly reverse: boolean;
  readonly quorum: number;
  readonly quorumMax: number | undefined;
  readonly forkDelayMs: number;
  readonly terminateDelayMs: number;
  readonly fullCommand: boolean;
}

export interface BfdSessionPlan {
  readonly name: string;
  readonly neighbor: string;
  readonly source: string | undefined;
  readonly minRxMs: number;
  readonly minTxMs: number;
  readonly idleTxMs: number;
  readonly multiplier: number;
  readonly passive: boolean;
  readonly ttl: number;
  readonly maxHops: number;
  /** On the port of multihop sessions (RFC 5883). Absent: on that of single-hop ones. */
  readonly multihop?: true;
  readonly weight: number;
  readonly reverse: boolean;
}

/** A route or rule in ip-route(8)'s words, checked; the adapter turns it into netlink. */
export interface RoutePlan {
  readonly words: readonly string[];
  readonly family: 'ipv4' | 'ipv6';
  readonly noTrack: boolean;
  readonly trackGroup: string | undefined;
}
export type RulePlan = RoutePlan;

export interface SyncGroupPlan {
  readonly name: string;
  readonly members: readonly number[]; // indexes into routers
  readonly trackingWeight: boolean;
  readonly trackScripts: readonly TrackReference[];
  readonly trackInterfaces: readonly TrackReference[];
  readonly trackFiles: readonly TrackReference[];
  readonly trackProcesses: readonly TrackReference[];
  readonly trackBfd: readonly TrackReference[];
  readonly notify: NotifyPlan;
  readonly notifyPriorityChanges: boolean;
  readonly smtpAlert: boolean;
}

export interface NotifyPlan {
  readonly master: CommandPlan | undefined;
  readonly backup: CommandPlan | undefined;
  readonly fault: CommandPlan | undefined;
  readonly stop: CommandPlan | undefined;
  readonly deleted: CommandPlan | undefined;
  readonly any: CommandPlan | undefined; // notify
  readonly masterRxLowerPri: CommandPlan | undefined;
}

export interface NotifyFifoPlan {
  readonly path: string;
  /** Owner of the pipe; undefined: who the daemon runs as. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly script: CommandPlan | undefined;
}

export interface MailPlan {
  readonly to: readonly string[];
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly helo: string;
  readonly timeoutMs: number;
  /** False with no_email_faults. */
  readonly onFault: boolean;
}

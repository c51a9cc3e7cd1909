/**
 * The VRRP half's Plan: virtual routers, what they track, what is told to whom. Resolved, complete, frozen.
 */

import type { VirtualRouterSettings } from '../core/vrrp/settings.ts';

export interface VrrpPlan {
  readonly global: VrrpGlobalPlan;
  readonly routers: readonly VirtualRouterPlan[];
  readonly syncGroups: readonly SyncGroupPlan[];
  readonly scripts: readonly TrackedScriptPlan[];
  readonly files: readonly TrackedFilePlan[];
  readonly processes: readonly TrackedProcessPlan[];
  readonly bfdSessions: readonly BfdSessionPlan[];
  readonly staticAddresses: readonly import('../core/vrrp/settings.ts').VirtualAddress[];
  readonly staticRoutes: readonly RoutePlan[];
  readonly staticRules: readonly RulePlan[];
}

export interface VrrpGlobalPlan {
  readonly routerId: string;
  readonly startupDelayMs: number;
  readonly realtimePriority: number; // vrrp_rt_priority, 0 = not asked
  readonly processPriority: number; // nice value, 0 = unchanged
  readonly noSwap: boolean;
  readonly scriptSecurity: boolean;
  readonly notifyFifo: NotifyFifoPlan | undefined;
  readonly mail: MailPlan | undefined;
  readonly promoteSecondaries: boolean;
  readonly dynamicInterfaces: boolean;
  readonly enableDbus: false;
}

/** A command with its user, split as Keepalived splits it (no shell unless it names one). */
export interface CommandPlan {
  readonly argv: readonly string[];
  readonly user: string;
  readonly group: string | undefined;
}

export interface VirtualRouterPlan {
  readonly settings: VirtualRouterSettings;
  readonly trackScripts: readonly TrackReference[];
  readonly trackInterfaces: readonly TrackReference[];
  readonly trackFiles: readonly TrackReference[];
  readonly trackProcesses: readonly TrackReference[];
  readonly trackBfd: readonly TrackReference[];
  readonly routes: readonly RoutePlan[];
  readonly rules: readonly RulePlan[];
  readonly notify: NotifyPlan;
  readonly smtpAlert: boolean;
  readonly promoteSecondaries: boolean;
  readonly debug: number;
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
  readonly weight: number;
  readonly reverse: boolean;
}

/** A route or rule in ip-route(8)'s words, checked; the adapter turns it into netlink. */
export interface RoutePlan {
  readonly words: readonly string[];
  readonly family: 'ipv4' | 'ipv6';
  readonly noTrack: boolean;
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
  readonly script: CommandPlan | undefined;
}

export interface MailPlan {
  readonly to: readonly string[];
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly helo: string;
  readonly timeoutMs: number;
}

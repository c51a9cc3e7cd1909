/**
 * What one virtual router is told and what it asks for: the language between the machine and whoever drives it (the daemon with real
 * sockets and addresses, the simulator with none). Times are monotonic milliseconds with fraction, always given by the driver.
 *
 * The driver's loop, after every event and whenever `deadline()` has come:
 *   machine.handle(event, now); for (let action; (action = machine.poll()) !== undefined; ) carry out(action)
 * Packets that wait in the socket are handed over before a timer that is due: an advertisement that already arrived has been heard.
 */

import type { VirtualAddress, VirtualRouterSettings } from './settings.ts';

/** RFC 9568 §6.4's states, and Keepalived's FAULT: out of the election for a reason. What operators read: `stateWord`. */
export type RouterStateKind = 'initialize' | 'backup' | 'active' | 'fault';

export type VrrpEvent =
  /** RFC 9568 §6.4.1 Startup. Sent once, after `vrrp_startup_delay`. */
  | { readonly kind: 'start' }
  /** §6.4 Shutdown: ends in `initialize`, with priority 0 sent when active. */
  | { readonly kind: 'shutdown' }
  /** `deadline()` has come (or may have: an early or repeated one does nothing). */
  | { readonly kind: 'timer' }
  /** An advertisement that passed `receiveAdvertisement`. */
  | { readonly kind: 'advertisement'; readonly heard: HeardAdvertisement }
  /** What the tracked objects say now, as computed by `runningPriority` (tracking.ts). */
  | { readonly kind: 'tracking'; readonly tracking: TrackingResult }
  /** The instance's interface: up and running, or not. `address` is its primary address when up. */
  | { readonly kind: 'link'; readonly up: boolean; readonly address: string | undefined }
  /** The balancer on this node: serves, does not, or has not said yet (holds the router in `initialize`). Not sent: it does. */
  | { readonly kind: 'serving'; readonly serving: boolean | 'unknown' }
  /** The operator's `handover`: resign in an orderly way and stay out until `resume`. */
  | { readonly kind: 'handover' }
  | { readonly kind: 'resume' }
  /** Nobody took over after a `handover` and a `resume` has followed: active again at once, if nobody has been heard meanwhile. */
  | { readonly kind: 'take-back'; readonly sinceMs: number }
  /** BFD lost the session with `source`; acted on only when that is the active router we hear. */
  | { readonly kind: 'peer-lost'; readonly source: string }
  /** One of our addresses vanished from the interface though we did not remove it. */
  | { readonly kind: 'address-lost'; readonly address: string }
  /** Somebody else answers for an address that we hold. */
  | { readonly kind: 'address-conflict'; readonly address: string; readonly hardwareAddress: string }
  /** Reload: state is kept. The interface, VRID, version and family must be the same; otherwise make a new machine. */
  | { readonly kind: 'settings'; readonly settings: VirtualRouterSettings }
  /** From the sync group (sync-group.ts), never from the driver. */
  | { readonly kind: 'group'; readonly wish: 'active' | 'backup' | 'announce' }
  | { readonly kind: 'group-fault'; readonly reason: string | undefined };

export interface HeardAdvertisement {
  /** Sender's address in canonical text. */
  readonly source: string;
  readonly priority: number; // 0..255
  /** The sender's interval: Adver_Int of version 2, Max Advertise Interval of version 3. */
  readonly advertisementIntervalMs: number;
}

export interface TrackingResult {
  /** 1..254, or 255 for the owner: base priority plus weights. */
  readonly priority: number;
  /** Why the instance must be in FAULT, in words; empty = it need not. */
  readonly faults: readonly string[];
  /** What has no result yet and holds the instance in `initialize` (Keepalived: an unweighted script before its first run). */
  readonly pending: readonly string[];
}

export type VrrpAction =
  | { readonly kind: 'send-advertisement'; readonly priority: number }
  /** Put these on their interfaces (and, with `all`, the routes and rules). Adding what is there already is not an error. */
  | { readonly kind: 'add-addresses'; readonly addresses: readonly VirtualAddress[]; readonly all: boolean }
  /**
   * `lingerMs`: they are no longer ours, but whoever gets them may need a moment to have them and to be believed: they go after this long,
   * or a little after the new active router was heard. Absent: at once.
   */
  | {
      readonly kind: 'remove-addresses';
      readonly addresses: readonly VirtualAddress[];
      readonly all: boolean;
      readonly lingerMs?: number;
    }
  /** `repeat` rounds of gratuitous ARP or unsolicited NA for each address: hand it to an AnnouncementSchedule. */
  | { readonly kind: 'announce'; readonly addresses: readonly VirtualAddress[]; readonly repeat: number }
  /** Forget announcements that wait: the addresses are no longer ours. */
  | { readonly kind: 'cancel-announcements' }
  /** Gratuitous ARP for the interface's own address: unicast peers may hold a stale entry for it after a fault (Keepalived 1283). */
  | { readonly kind: 'announce-own-address' }
  /** For notify scripts, fifo, mail, status, journal. */
  | {
      readonly kind: 'state-changed';
      readonly from: RouterStateKind;
      readonly to: RouterStateKind;
      readonly priority: number;
      readonly reason: string;
    }
  /** notify_master_rx_lower_pri. */
  | { readonly kind: 'lower-priority-heard'; readonly source: string; readonly priority: number }
  | { readonly kind: 'log'; readonly severity: 'info' | 'notice' | 'warning' | 'err'; readonly message: string };

/** What `status`, dumps and metrics show. */
export interface RouterStatus {
  readonly state: RouterStateKind;
  readonly sinceMs: number;
  readonly reason: string;
  readonly priority: number;
  readonly faults: readonly string[];
  /** The other router last heard from (in any state), if any. */
  readonly heard: { readonly source: string; readonly priority: number; readonly atMs: number } | undefined;
  /** The interval that the active router uses (Active_Adver_Interval). */
  readonly activeAdvertisementIntervalMs: number;
  readonly transitions: { readonly toActive: number; readonly fromActive: number };
  readonly deadlineMs: number | undefined;
}

/** Keepalived's words for the states. */
export const stateWord: Readonly<Record<RouterStateKind, 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT'>> = {
  initialize: 'INIT',
  backup: 'BACKUP',
  active: 'MASTER',
  fault: 'FAULT',
};

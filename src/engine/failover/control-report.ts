/** What `evergate status` is told about the VRRP half, as plain data: complete in itself, so that a program can read it without knowing more. */
import { type RouterStateKind, stateWord } from '../../core/vrrp/events.ts';
import { handedOverFault } from '../../core/vrrp/facts.ts';
import type { RouterStatistics } from '../../core/vrrp/statistics.ts';
import { priorityChange, type Tracked } from '../../core/vrrp/tracking.ts';
import type { Link, LinkAddress } from '../ports/links.ts';
import type { Clock } from '../ports/time.ts';
import type { AddressConflict } from './conflict-watch.ts';
import type { Failover } from './failover.ts';
import type { RouterDriver } from './router-driver.ts';

export interface VrrpReport {
  readonly half: 'vrrp';
  readonly pid: number;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** True when the launcher of `evergate run` started it: then a balancer belongs to it. */
  readonly launched: boolean;
  readonly routerId: string;
  readonly routers: readonly RouterReport[];
  readonly syncGroups: readonly { readonly name: string; readonly members: readonly string[] }[];
}

/** Ages are milliseconds before `wallMs`. */
export interface RouterReport {
  readonly name: string;
  readonly interface: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly version: 2 | 3;
  readonly virtualRouterId: number;
  readonly advertisementIntervalMs: number;
  readonly transport: 'multicast' | 'unicast';
  readonly state: (typeof stateWord)[RouterStateKind];
  readonly stateAgeMs: number;
  readonly reason: string;
  readonly faults: readonly string[];
  readonly handedOver: boolean;
  /** Since when, also across restarts of the daemon; milliseconds since 1970. */
  readonly handedOverSinceMs: number | undefined;
  readonly priority: {
    readonly running: number;
    readonly base: number;
    readonly parts: readonly PriorityPart[];
  };
  readonly neighbours: readonly NeighbourReport[];
  readonly addresses: readonly AddressReport[];
  readonly conflicts: readonly {
    readonly address: string;
    readonly hardwareAddress: string;
    readonly ageMs: number;
    readonly count: number;
    /** Else it is over, as far as one can tell. */
    readonly goesOn: boolean;
  }[];
  readonly transitions: { readonly toActive: number; readonly fromActive: number };
  readonly statistics: RouterStatistics;
  /** When its timer ends: as BACKUP it would take over then, as MASTER it speaks. Undefined when no timer runs. */
  readonly deadlineMs: number | undefined;
}

export interface PriorityPart {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
  readonly result: Tracked['result'];
  /** What it adds to the priority now. */
  readonly change: number;
}

export interface NeighbourReport {
  readonly source: string;
  /** Last one that was accepted; 0 = it resigned; undefined = none. */
  readonly priority: number | undefined;
  readonly advertisementIntervalMs: number | undefined;
  readonly ageMs: number | undefined;
  /** How the addresses in it differ from this node's, in words; undefined: they don't. */
  readonly addressDifference: string | undefined;
  /** A BFD session that nobody wrote watches it: its loss is noticed in milliseconds, and open connections are handed over. */
  readonly watched: boolean;
  readonly accepted: number;
  readonly refused: number;
  readonly lastRefusal: { readonly error: string; readonly message: string; readonly ageMs: number } | undefined;
}

export interface AddressReport {
  readonly address: string;
  readonly prefix: number;
  readonly device: string;
  /** Advertised, or only held (virtual_ipaddress_excluded). */
  readonly excluded: boolean;
  /** On the interface now, as the kernel says. */
  readonly present: boolean;
  /** It should be there: the router is active. */
  readonly wanted: boolean;
}

/** What the report needs from outside the engine. */
export interface ReportWorld {
  readonly clock: Clock;
  readonly pid: number;
  readonly version: string;
  readonly launched: boolean;
  /** Asks the kernel, now. */
  readonly kernel: () => { readonly links: readonly Link[]; readonly addresses: readonly LinkAddress[] };
}

/** @param handedOverSince milliseconds since 1970, by router; undefined: it takes part. */
export function vrrpReport(
  failover: Failover,
  world: ReportWorld,
  handedOverSince: (router: string) => number | undefined,
): VrrpReport {
  const { plan } = failover;
  const kernel = world.kernel();
  return {
    half: 'vrrp',
    pid: world.pid,
    version: world.version,
    wallMs: world.clock.wall(),
    launched: world.launched,
    routerId: plan.global.routerId,
    routers: failover.drivers.map((driver, index) => ({
      ...routerReport(failover, driver, index, world.clock.now(), kernel),
      handedOverSinceMs: handedOverSince(driver.settings.name),
    })),
    syncGroups: plan.syncGroups.map(({ name, members }) => ({
      name,
      members: members.map((index) => plan.routers[index].settings.name),
    })),
  };
}

type Kernel = ReturnType<ReportWorld['kernel']>;

function routerReport(
  failover: Failover,
  driver: RouterDriver,
  index: number,
  now: number,
  kernel: Kernel,
): Omit<RouterReport, 'handedOverSinceMs'> {
  const { settings } = driver;
  const status = driver.machine.status();
  const group = failover.plan.syncGroups.find(({ members }) => members.includes(index));
  const tracked = failover.tracked?.trackedBy(driver.plan, group) ?? [];
  const weightsIgnored = settings.basePriority === 255;
  return {
    name: settings.name,
    interface: settings.interface,
    family: settings.family,
    version: settings.version,
    virtualRouterId: settings.virtualRouterId,
    advertisementIntervalMs: settings.advertisementIntervalMs,
    transport: settings.transport.kind,
    state: stateWord[status.state],
    stateAgeMs: now - status.sinceMs,
    reason: status.reason,
    faults: status.faults,
    handedOver: status.faults.includes(handedOverFault),
    priority: {
      running: status.priority,
      base: settings.basePriority,
      parts: tracked.map((object) => ({ ...object, change: weightsIgnored ? 0 : priorityChange(object) })),
    },
    neighbours: driver.neighbours.all().map(({ heardAtMs, lastRefusal, ...rest }) => ({
      ...rest,
      watched: failover.watches(rest.source, driver),
      ageMs: heardAtMs === undefined ? undefined : now - heardAtMs,
      lastRefusal:
        lastRefusal === undefined
          ? undefined
          : { error: lastRefusal.error, message: lastRefusal.message, ageMs: now - lastRefusal.atMs },
    })),
    addresses: addressReports(driver, status.state === 'active', kernel),
    conflicts: failover.conflicts(settings.name).map((conflict) => conflictReport(conflict, now)),
    transitions: status.transitions,
    statistics: driver.statistics,
    deadlineMs: status.deadlineMs === undefined ? undefined : status.deadlineMs - now,
  };
}

function conflictReport({ atMs, ...rest }: AddressConflict, now: number) {
  return { ...rest, ageMs: now - atMs };
}

function addressReports(driver: RouterDriver, wanted: boolean, kernel: Kernel): AddressReport[] {
  const { settings } = driver;
  const report = (excluded: boolean) => (address: (typeof settings.addresses)[number]) => {
    const device = address.device ?? driver.device();
    const index = kernel.links.find(({ name }) => name === device)?.index;
    const present = kernel.addresses.some(
      (there) => there.interfaceIndex === index && there.address === address.address,
    );
    return { address: address.address, prefix: address.prefix, device, excluded, present, wanted };
  };
  return [...settings.addresses.map(report(false)), ...settings.excludedAddresses.map(report(true))];
}

/**
 * keepalived.data (SIGUSR1): Keepalived 2.2.7's sections, fields and order, so that what reads its file reads ours. What only its own inside
 * explains (sockets, netlink counters, settings of IPVS and SNMP) is left out; `Reason`, `Fault` and `Last status` are ours.
 */
import { stateWord } from '../../core/vrrp/events.ts';
import { activeDownMs } from '../../core/vrrp/intervals.ts';
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import type { CommandPlan, NotifyPlan } from '../../plan/vrrp.ts';
import type { Clock } from '../ports/time.ts';
import { dumpInterfaces, dumpTracked, section, trackReferences } from './dump-tracked.ts';
import { addressWords, commandWords, deviceWords, routeWords, ruleWords } from './dump-words.ts';
import type { Failover } from './failover.ts';
import type { RouterDriver } from './router-driver.ts';

/** What the dump needs from outside the engine. */
export interface DumpWorld {
  readonly clock: Clock;
  /** Undefined: there is no such user or group. */
  identity(command: CommandPlan): { readonly uid: number; readonly gid: number } | undefined;
}

const authenticationWord = { none: 'none', pass: 'SIMPLE_PASSWORD', ah: 'IPSEC_AH' } as const;
const yesNo = (value: boolean) => (value ? 'yes' : 'no');
const onOff = (value: boolean) => (value ? 'enabled' : 'disabled');

export function dumpData(failover: Failover, world: DumpWorld): string {
  const { plan, links } = failover;
  const there = links.addresses();
  const isSet = ({ address }: VirtualAddress) => there.some((each) => each.address === address);
  const lines = [
    ...section(
      'Static Addresses',
      plan.staticAddresses.map((each) => {
        const device = each.device ?? plan.global.defaultInterface;
        return `     ${addressWords(each, device, isSet(each))}`;
      }),
    ),
    ...section(
      'Static Routes',
      plan.staticRoutes.map((route) => `     ${routeWords(route)}`),
    ),
    ...section(
      'Static Rules',
      plan.staticRules.map((rule) => `     ${ruleWords(rule)}`),
    ),
    '------< VRRP Topology >------',
    ...failover.drivers.flatMap((driver, index) => describeRouter(failover, driver, index, world)),
    ...section(
      'VRRP Sync groups',
      plan.syncGroups.flatMap((_, index) => describeGroup(failover, index, world)),
    ),
    ...dumpTracked(failover, (command) => identityWords(command, world)),
    ...dumpInterfaces(failover),
  ];
  return `${lines.join('\n')}\n`;
}

function describeRouter(failover: Failover, driver: RouterDriver, index: number, world: DumpWorld): string[] {
  const { settings, plan } = driver;
  const { transport, version, family } = settings;
  const status = driver.machine.status();
  const group = failover.plan.syncGroups.find(({ members }) => members.includes(index));
  const { activeAdvertisementIntervalMs: interval, priority } = status;
  const unheard = family === 'ipv4' ? '0.0.0.0' : '::';
  const wall = (at: number) => moment(world.clock.wall() + at - world.clock.now());
  return [
    ` VRRP Instance = ${settings.name}`,
    `   VRRP Version = ${version}`,
    ...(group === undefined ? [] : [`   Sync group = ${group.name}`]),
    ...(family === 'ipv6' ? ['   Using Native IPv6'] : []),
    `   State = ${stateWord[status.state]}`,
    ...(status.state === 'backup'
      ? [
          `   Master router = ${status.heard?.source ?? unheard}`,
          `   Master priority = ${status.heard?.priority ?? 0}`,
          ...(version === 3 ? [`   Master advert int = ${(interval / 1000).toFixed(2)} sec`] : []),
        ]
      : []),
    ...flags(driver),
    `   Wantstate = ${stateWord[status.state]}`,
    '   Number of config faults = 0',
    `   Number of interface and track script faults = ${status.faults.length}`,
    `   Number of track scripts init = ${pendingScripts(failover, driver)}`,
    `   Last transition = ${wall(status.sinceMs)}`,
    `   Read timeout = ${status.deadlineMs === undefined ? 'DISABLED' : wall(status.deadlineMs)}`,
    `   Master down timer = ${Math.floor(activeDownMs(version, priority, interval, settings.downTimerAdverts) * 1000)} usecs`,
    ...interfaceLines(driver),
    ...(settings.trackPrimaryInterface ? [] : ['   VRRP interface tracking disabled']),
    ...(settings.skipCheckAdvertisedAddresses ? ['   Skip checking advert IP addresses'] : []),
    ...(settings.strict ? ['   Enforcing strict VRRP compliance'] : []),
    ...(driver.source === undefined
      ? []
      : [`   Using src_ip = ${driver.source}${transport.source === undefined ? '' : ' (from configuration)'}`]),
    ...(transport.kind === 'multicast' ? [`   Multicast address ${transport.group}`] : []),
    ...timing(driver),
    ...(version === 2 ? [`   Authentication type = ${authenticationWord[settings.authentication.kind]}`] : []),
    `   Virtual IP (${settings.addresses.length}):`,
    ...addresses(driver, settings.addresses),
    ...list('Virtual IP Excluded', addresses(driver, settings.excludedAddresses)),
    ...unicast(driver),
    ...list(
      'Virtual Routes',
      plan.routes.map((route) => `     ${routeWords(route)}`),
    ),
    ...list(
      'Virtual Rules',
      plan.rules.map((rule) => `     ${ruleWords(rule)}`),
    ),
    ...trackReferences(plan, 'Tracked processes'),
    `   Using smtp notification = ${yesNo(plan.smtpAlert)}`,
    `   Notify deleted = ${plan.notifyDeleted ? 'Deleted' : 'Fault'}`,
    ...notifyLines(plan.notify, world),
    `   Notify priority changes = ${plan.notifyPriorityChanges}`,
    `   Reason = ${status.reason}`,
    ...status.faults.map((fault) => `   Fault = ${fault}`),
  ];
}

function flags({ settings }: RouterDriver): string[] {
  const { transport, vmac, preempt, trackPrimaryInterface, skipCheckAdvertisedAddresses, strict } = settings;
  if (transport.kind === 'unicast') return ['   Flags:', '     Using unicast'];
  const any = vmac !== undefined || !preempt || !trackPrimaryInterface || skipCheckAdvertisedAddresses || strict;
  return [any ? '   Flags:' : '   Flags: none'];
}

function interfaceLines(driver: RouterDriver): string[] {
  const { vmac, interface: name } = driver.settings;
  if (vmac === undefined) return [`   Interface = ${driver.device()}`];
  const made = driver.device() === name ? (vmac.name ?? name) : driver.device();
  return [
    `   Use VMAC, i/f name ${made}, is_up = ${driver.device() !== name}, xmit_base = ${vmac.transmitOnBase}`,
    `   Interface = ${made}, vmac on ${name}`,
  ];
}

function timing({ settings, plan, machine }: RouterDriver): string[] {
  const { garp, version, advertisementIntervalMs: interval, preemptDelayMs } = settings;
  const { priority, state, activeAdvertisementIntervalMs: activeInterval } = machine.status();
  return [
    `   Gratuitous ARP delay = ${garp.delayMs / 1000}`,
    `   Gratuitous ARP repeat = ${garp.repeat}`,
    `   Gratuitous ARP refresh = ${garp.refreshMs / 1000}`,
    `   Gratuitous ARP refresh repeat = ${garp.refreshRepeat}`,
    `   Gratuitous ARP lower priority delay = ${garp.lowerPrioDelayMs / 1000}`,
    `   Gratuitous ARP lower priority repeat = ${garp.lowerPrioRepeat}`,
    `   Down timer adverts = ${settings.downTimerAdverts}`,
    `   Send advert after receive lower priority advert = ${!settings.lowerPrioNoAdvert}`,
    `   Send advert after receive higher priority advert = ${settings.higherPrioSendAdvert}`,
    `   Virtual Router ID = ${settings.virtualRouterId}`,
    `   Priority = ${settings.basePriority}`,
    `   Effective priority = ${priority}`,
    `   Total priority = ${priority}`,
    version === 2 ? `   Advert interval = ${interval / 1000} sec` : `   Advert interval = ${interval} milli-sec`,
    ...(version === 3 && state === 'backup' ? [`   Master advert interval = ${activeInterval} milli-sec`] : []),
    `   Accept = ${onOff(settings.accept)}`,
    `   Preempt = ${onOff(settings.preempt)}`,
    ...(preemptDelayMs > 0 ? [`   Preempt delay = ${preemptDelayMs / 1000} secs`] : []),
    `   Promote_secondaries = ${onOff(plan.promoteSecondaries)}`,
  ];
}

function unicast({ settings: { transport, version } }: RouterDriver): string[] {
  if (transport.kind !== 'unicast') return [];
  return [
    `   Unicast TTL = ${transport.ttl ?? 255}`,
    `   Check unicast src : ${yesNo(transport.checkSource)}`,
    '   Unicast Peer :',
    ...transport.peers.map(
      ({ address, ttlMin, ttlMax }) => `     ${address} min_ttl ${ttlMin ?? 0} max_ttl ${ttlMax ?? 255}`,
    ),
    ...(version === 3
      ? [
          `   Unicast checksum compatibility = ${{ always: 'yes', never: 'never', no: 'no' }[transport.oldChecksum ?? 'no']}`,
        ]
      : []),
  ];
}

function addresses(driver: RouterDriver, all: readonly VirtualAddress[]): string[] {
  const held = new Set(driver.holdings.addresses());
  return all.map((address) => `     ${addressWords(address, deviceWords(address, driver), held.has(address))}`);
}

function pendingScripts(failover: Failover, { plan }: RouterDriver): number {
  const scripts = failover.tracked?.scripts() ?? [];
  return plan.trackScripts.filter(({ target }) => scripts[target]?.result === 'unknown').length;
}

function describeGroup(failover: Failover, index: number, world: DumpWorld): string[] {
  const plan = failover.plan.syncGroups[index]!;
  const members = plan.members.map((member) => failover.drivers[member]?.machine.stateKind ?? 'initialize');
  const count = (state: (typeof members)[number]) => members.filter((each) => each === state).length;
  const state = (['fault', 'initialize', 'backup', 'active'] as const).find((each) => count(each) > 0);
  return [
    ` VRRP Sync Group = ${plan.name}, ${stateWord[state ?? 'initialize']}`,
    `   Num member fault ${count('fault')}, num member init ${count('initialize')}`,
    '   VRRP member instances :',
    ...plan.members.map((member) => `     ${failover.plan.routers[member]!.settings.name}`),
    ...(plan.trackingWeight ? ['   sync group tracking weight set'] : []),
    `   Using smtp notification = ${yesNo(plan.smtpAlert)}`,
    ...trackReferences(plan, 'Tracked process'),
    ...notifyLines(plan.notify, world),
  ];
}

function notifyLines(notify: NotifyPlan, world: DumpWorld): string[] {
  const scripts = [
    ['Backup', notify.backup],
    ['Master', notify.master],
    ['Fault', notify.fault],
    ['Stop', notify.stop],
    ['Deleted', notify.deleted],
    ['Generic', notify.any],
    ['Master rx lower pri', notify.masterRxLowerPri],
  ] as const;
  return scripts.flatMap(([title, command]) =>
    command === undefined
      ? []
      : [`   ${title} state transition script = ${commandWords(command)}, uid:gid ${identityWords(command, world)}`],
  );
}

function identityWords(command: CommandPlan, world: DumpWorld): string {
  const identity = world.identity(command);
  return identity === undefined ? `${command.user}:${command.group ?? ''}` : `${identity.uid}:${identity.gid}`;
}

/** Keepalived leaves out lists without a member. */
function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`   ${title} :`, ...lines];
}

/** Seconds since 1970 and the same for people, as ctime(3) has it. */
function moment(wallMs: number): string {
  const micros = Math.round(wallMs * 1000);
  const fraction = String(micros % 1_000_000).padStart(6, '0');
  const date = new Date(wallMs);
  const [weekday, month, day, year] = date.toDateString().split(' ');
  const time = date.toTimeString().slice(0, 8);
  return `${Math.floor(micros / 1_000_000)}.${fraction} (${weekday} ${month} ${String(Number(day)).padStart(2)} ${time}.${fraction} ${year})`;
}

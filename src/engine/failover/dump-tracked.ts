/** The tracked objects of keepalived.data: each with its result, and who tracks it with which weight. */
import type { CommandPlan, SyncGroupPlan, TrackReference } from '../../plan/vrrp.ts';
import type { Link } from '../ports/links.ts';
import { commandWords } from './dump-words.ts';
import type { Failover } from './failover.ts';

type References = Pick<
  SyncGroupPlan,
  'trackScripts' | 'trackInterfaces' | 'trackFiles' | 'trackProcesses' | 'trackBfd'
>;
type Kind = keyof References;

/** Keepalived's for an interface that is not tracked though it is the instance's (`dont_track_primary`). */
const untrackedWeight = 255;

const reversed = (reverse: boolean) => (reverse ? ' reverse' : '');
const weighted = ({ weight, reverse }: { readonly weight: number; readonly reverse: boolean }) =>
  `weight ${weight}${reversed(reverse)}`;

/** What one router or sync group tracks. */
export function trackReferences(references: References, processes: string): string[] {
  const list = (title: string, all: readonly TrackReference[], mark: string) =>
    all.length === 0 ? [] : [`   ${title} :`, ...all.map((each) => `     ${each.name}${mark} ${weighted(each)}`)];
  return [
    ...list('Tracked interfaces', references.trackInterfaces, ''),
    ...list('Tracked scripts', references.trackScripts, ''),
    ...list('Tracked files', references.trackFiles, ','),
    ...list(processes, references.trackProcesses, ','),
    ...list('Tracked BFDs', references.trackBfd, ':'),
  ];
}

/** Keepalived leaves out a section without a line. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`------< ${title} >------`, ...lines];
}

export function dumpTracked(failover: Failover, identity: (command: CommandPlan) => string): string[] {
  return [...dumpScripts(failover, identity), ...dumpFiles(failover), ...dumpProcesses(failover), ...dumpBfd(failover)];
}

/** Without those that are not run, as nobody tracks them or as they are insecure: an exporter would wait for their result for ever. */
function dumpScripts(failover: Failover, identity: (command: CommandPlan) => string): string[] {
  return section(
    'VRRP Scripts',
    failover.plan.scripts.flatMap((script, index) => {
      const tracker = failover.tracked?.scripts()[index];
      if (tracker === undefined) return [];
      const unjudged = tracker.result === 'unknown';
      return [
        ` VRRP Script = ${script.name}`,
        `   Command = ${commandWords(script.command)}`,
        `   Interval = ${script.intervalMs / 1000} sec`,
        `   Timeout = ${script.timeoutMs / 1000} sec`,
        `   Weight = ${script.weight}${reversed(script.reverse)}`,
        `   Rise = ${script.rise}`,
        `   Fall = ${script.fall}`,
        `   Result = ${tracker.count}`,
        '   Insecure = no',
        `   Init state = ${unjudged ? 'INIT' : 'unknown'}`,
        `   Status = ${{ well: 'GOOD', failed: 'BAD', unknown: 'INIT' }[tracker.result]}`,
        `   Script uid:gid = ${identity(script.command)}`,
        '   VRRP instances :',
        ...trackedBy(failover, 'trackScripts', index),
        `   State = ${tracker.isRunning ? 'running' : 'idle'}`,
        `   Last status = ${tracker.lastStatus ?? 0}`,
      ];
    }),
  );
}

/** Keepalived forgets a file that nobody tracks, but not such a process. */
function dumpFiles(failover: Failover): string[] {
  return section(
    'VRRP Track files',
    failover.plan.files.flatMap((file, index) => {
      const trackers = trackedBy(failover, 'trackFiles', index);
      if (trackers.length === 0) return [];
      return [
        ` Track file = ${file.name}`,
        `   File = ${file.path}`,
        `   Status = ${failover.tracked?.files()[index]?.value ?? 0}`,
        `   Weight = ${file.weight}${reversed(file.reverse)}`,
        ...trackers,
      ];
    }),
  );
}

function dumpProcesses(failover: Failover): string[] {
  const { processes } = failover.plan;
  if (processes.length === 0) return [];
  return [
    '------< VRRP Track processes >------',
    ...processes.flatMap((tracked, index) => {
      const tracker = failover.tracked?.processes()[index];
      const match = { exact: '', partial: ' = partial', initial: ' = initial' }[tracked.paramMatch];
      return [
        ` VRRP Track process = ${tracked.name}`,
        `   Process = ${tracked.process}`,
        ...(tracked.parameters === undefined
          ? []
          : [`   Parameters = ${tracked.parameters}`, `   Param match${match}`]),
        `   Min processes = ${tracked.quorum}`,
        ...(tracked.quorumMax === undefined ? [] : [`   Max processes = ${tracked.quorumMax}`]),
        `   Current processes = ${tracker?.count ?? 0}`,
        `   Have quorum = ${tracker?.result === 'well'}`,
        `   Weight = ${tracked.weight}${reversed(tracked.reverse)}`,
        `   Terminate delay = ${(tracked.terminateDelayMs / 1000).toFixed(6)}s`,
        `   Fork delay = ${(tracked.forkDelayMs / 1000).toFixed(6)}s`,
        `   Fork delay timer ${tracker?.waitsFor === 'well' ? '' : 'not '}running`,
        `   Terminate delay timer ${tracker?.waitsFor === 'failed' ? '' : 'not '}running`,
        `   Full command = ${tracked.fullCommand}`,
        ...trackedBy(failover, 'trackProcesses', index),
      ];
    }),
  ];
}

function dumpBfd(failover: Failover): string[] {
  const { bfdSessions } = failover.plan;
  if (bfdSessions.length === 0) return [];
  return [
    '------< VRRP Track BFDs >------',
    ...bfdSessions.flatMap((session, index) => [
      ` VRRP Track BFD = ${session.name}`,
      `   Weight = ${session.weight}${reversed(session.reverse)}`,
      `   Bfd is ${failover.tracked?.bfdResult(index) === 'well' ? 'up' : 'down'}`,
      '   Tracking VRRP instances :',
      ...trackedBy(failover, 'trackBfd', index),
    ]),
  ];
}

/** The instances that an object counts for, by themselves or with their sync group; where both track it the group's weight holds. */
function trackedBy({ plan }: Failover, kind: Kind, target: number | string): string[] {
  const of = (references: References) =>
    references[kind].find((each) => (typeof target === 'string' ? each.name : each.target) === target);
  const lines = plan.routers.flatMap((router, index) => {
    const group = plan.syncGroups.find(({ members }) => members.includes(index));
    const reference = (group === undefined ? undefined : of(group)) ?? of(router);
    return reference === undefined ? [] : [`     ${router.settings.name}, ${weighted(reference)}`];
  });
  return lines.length === 0 ? [] : ['   Tracking instances :', ...lines];
}

export function dumpInterfaces(failover: Failover): string[] {
  return ['------< Interfaces >------', ...failover.links.links().flatMap((link) => describeLink(failover, link))];
}

function describeLink(failover: Failover, link: Link): string[] {
  const own = failover.links.addresses().filter(({ interfaceIndex }) => interfaceIndex === link.index);
  const first = (family: 'ipv4' | 'ipv6') => own.find((each) => each.family === family)?.address ?? '(none)';
  const mac = Array.from(link.hardwareAddress, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  const primary = failover.drivers.filter(
    (driver) => driver.settings.interface === link.name || driver.device() === link.name,
  );
  const tracking = [
    ...primary.map(
      ({ settings }) => `     ${settings.name}, weight ${settings.trackPrimaryInterface ? 0 : untrackedWeight}`,
    ),
    ...trackedBy(failover, 'trackInterfaces', link.name)
      .slice(1)
      .filter((line) => !primary.some(({ settings }) => line.startsWith(`     ${settings.name},`))),
  ];
  return [
    ` Name = ${link.name}`,
    `   index = ${link.index}`,
    `   IPv4 address = ${first('ipv4')}`,
    `   IPv6 address = ${first('ipv6')}`,
    ...(link.hardwareAddress.length === 6 && link.name !== 'lo' ? [`   MAC = ${mac}`] : []),
    `   State = ${link.up ? 'UP' : 'DOWN'}, ${link.running ? '' : 'not '}RUNNING${link.multicast ? '' : ', no multicast'}`,
    `   MTU = ${link.mtu}`,
    ...(tracking.length === 0 ? [] : ['   Tracking VRRP instances :', ...tracking]),
  ];
}

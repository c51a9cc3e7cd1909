/** What is tracked, and what a check proves. */

import type { Place } from '../../../config/diagnostic.ts';
import { entriesOf, lastOf, nameOf } from '../../../config/keepalived/config.ts';
import type { Member, NodeFile } from '../cluster.ts';
import { references, type Tracker, trackersOf } from '../trackers.ts';
import { type Finding, type FindingContext, finding, placeIn } from './finding.ts';

export function findChecks({ cluster, views }: FindingContext): Finding[] {
  const members = views.flatMap(({ router }) => router.members);
  return [...members.flatMap((member) => ofMember(member)), ...cluster.nodes.flatMap(untrackedScripts)];
}

function ofMember(member: Member): Finding[] {
  const trackers = trackersOf(member);
  const { settings } = member.router;
  const findings = onlyExistence(member, trackers);
  if (!trackers.some(asksAboutService))
    findings.push(finding('nothing-tracked', member.entry.place, `${settings.name} tracks no script, process or file`));
  if (!settings.trackPrimaryInterface)
    findings.push(
      finding(
        'primary-not-tracked',
        placeIn(member, 'dont_track_primary'),
        `link ${settings.interface} is not tracked`,
      ),
    );
  return findings;
}

/** Interfaces and BFD sessions say something about the network, nothing about the service. */
function asksAboutService({ kind }: Tracker): boolean {
  return kind === 'script' || kind === 'process' || kind === 'file';
}

/** Said only where no other check asks for more. */
function onlyExistence(member: Member, trackers: readonly Tracker[]): Finding[] {
  const asking = trackers.filter(asksAboutService);
  if (asking.some(({ existenceOnly }) => !existenceOnly)) return [];
  return asking.map((tracker) => {
    const { kind, process, name } = tracker;
    const found = kind === 'script' ? 'only-existence' : 'only-existence-process';
    return finding(found, definition(member.node, tracker), `${name} only asks whether a process ${process} exists`);
  });
}

/** The line that says what is asked. */
export function definition({ config }: NodeFile, { kind, name }: Tracker): Place {
  const [block, word] = kind === 'process' ? ['vrrp_track_process', 'process'] : ['vrrp_script', 'script'];
  const entry = entriesOf(config.entries, block).find((each) => `${kind} ${nameOf(each)}` === name)!;
  return (lastOf(entry.entries, word) ?? entry).place;
}

function untrackedScripts({ plan, config }: NodeFile): Finding[] {
  const lists = [...plan.routers, ...plan.syncGroups];
  return plan.scripts.flatMap((script, index) => {
    const tracked = lists.some((list) =>
      references(list).some(({ kind, reference }) => kind === 'script' && reference.target === index),
    );
    // A reference that lost its weight is told where it is written.
    const named = entriesOf(config.entries, 'vrrp_instance').some((instance) =>
      entriesOf(instance.entries, 'track_script').some(({ lines }) =>
        lines.some((line) => line[0]?.text === script.name),
      ),
    );
    if (tracked || named) return [];
    const entry = entriesOf(config.entries, 'vrrp_script').find((each) => nameOf(each) === script.name)!;
    return [finding('script-not-tracked', entry.place, `no vrrp_instance tracks ${script.name}`)];
  });
}

/** vrrp_sync_group and track_group, and what the first and priority 255 mean for weights. */

import { booleanOf, type Entry, entriesOf, has, nameOf, namesOf } from '../config/keepalived/config.ts';
import type { SyncGroupPlan, TrackReference, VirtualRouterPlan } from './vrrp.ts';
import { notifyOf } from './vrrp-commands.ts';
import type { PlanContext } from './vrrp-context.ts';
import { interfacesOf, type Placed, withImplied } from './vrrp-implied-tracking.ts';
import { buildReferences, named, type Tracked, type TrackReferences } from './vrrp-tracking.ts';

export function buildSyncGroups(
  routers: readonly VirtualRouterPlan[],
  tracked: Tracked,
  context: PlanContext,
): SyncGroupPlan[] {
  const taken = new Map<number, string>();
  return named('vrrp_sync_group', context).flatMap((entry) => buildSyncGroup(entry, routers, tracked, taken, context));
}

function buildSyncGroup(
  entry: Entry,
  routers: readonly VirtualRouterPlan[],
  tracked: Tracked,
  taken: Map<number, string>,
  context: PlanContext,
): SyncGroupPlan[] {
  const { entries } = entry;
  const name = nameOf(entry);
  const members = membersOf(entry, routers, context).filter((member) => {
    const other = taken.get(member);
    if (other === undefined) return taken.set(member, name);
    const router = routers[member]!.settings.name;
    context.warn(
      'conflict',
      entry.place,
      `'${router}' is already in sync group '${other}': it is left out of '${name}'`,
    );
    return false;
  });
  if (members.length === 0) {
    context.warn('incomplete', entry.place, `sync group '${name}' has no virtual router: it is left out`);
    return [];
  }
  if (members.length === 1)
    context.warn('risky', entry.place, `sync group '${name}' has one virtual router only: is one missing?`);
  const owner = members.some((member) => routers[member]!.settings.basePriority === 255);
  const references = buildReferences(entries, tracked, context);
  return [
    {
      name,
      members,
      trackingWeight: has(entries, 'sync_group_tracking_weight'),
      ...(owner
        ? withoutWeights(references, 'group', `a member of sync group '${name}' has priority 255`, entry, context)
        : references),
      notify: notifyOf(entries, context),
      notifyPriorityChanges:
        booleanOf(entries, 'notify_priority_changes') ??
        booleanOf(context.global, 'vrrp_notify_priority_changes') ??
        false,
      smtpAlert:
        booleanOf(entries, 'smtp_alert') ??
        booleanOf(context.global, 'smtp_alert_vrrp') ??
        booleanOf(context.global, 'smtp_alert') ??
        false,
    },
  ];
}

function membersOf(entry: Entry, routers: readonly VirtualRouterPlan[], context: PlanContext): number[] {
  const members: number[] = [];
  for (const word of namesOf(entry.entries, 'group')) {
    const index = routers.findIndex((router) => router.settings.name === word.text);
    if (index === -1)
      context.warn(
        'missing-reference',
        word.place,
        `there is no vrrp_instance '${word.text}': it is left out of '${nameOf(entry)}'`,
      );
    else if (!members.includes(index)) members.push(index);
  }
  return members;
}

/** The routers of the groups need what names their group: its interfaces, and that it can be put back when somebody removes it. */
export function withTrackGroups(
  routers: readonly VirtualRouterPlan[],
  statics: Placed,
  defaultInterface: string,
  context: PlanContext,
): VirtualRouterPlan[] {
  const groups = named('track_group', context).flatMap((entry) => {
    const name = nameOf(entry);
    const members = membersOf(entry, routers, context);
    if (members.length > 0) return [{ name, members, interfaces: interfacesFor(name, statics, defaultInterface) }];
    context.warn('incomplete', entry.place, `track group '${name}' has no virtual router: it is left out`);
    return [];
  });
  return routers.map((router, index) => {
    const own = groups.filter(({ members }) => members.includes(index));
    if (own.length === 0) return router;
    const { settings, trackInterfaces } = router;
    const interfaces = own.flatMap((group) => group.interfaces);
    return {
      ...router,
      trackGroups: own.map(({ name }) => name),
      trackInterfaces: withImplied(
        entryOf(settings.name, context),
        settings.interface,
        trackInterfaces,
        interfaces,
        context,
      ),
    };
  });
}

function interfacesFor(group: string, { addresses, routes, rules }: Placed, defaultInterface: string): string[] {
  const isMember = ({ trackGroup }: { readonly trackGroup: string | undefined }) => trackGroup === group;
  return interfacesOf({
    addresses: addresses.filter(isMember).map((each) => ({ ...each, device: each.device ?? defaultInterface })),
    routes: routes.filter(isMember),
    rules: rules.filter(isMember),
  });
}

function entryOf(router: string, context: PlanContext): Entry {
  return entriesOf(context.entries, 'vrrp_instance').find((entry) => nameOf(entry) === router)!;
}

/**
 * The routers with the trackers that count. The owner of the address never changes its priority; members of a sync group must not
 * differ in theirs, unless sync_group_tracking_weight says so: their weighted trackers are left out. What their group tracks counts for each of them,
 * with its weight, and instead of what a member says of the same object (Keepalived 2.2.7).
 */
export function settleGroups(
  routers: readonly VirtualRouterPlan[],
  groups: readonly SyncGroupPlan[],
  context: PlanContext,
): VirtualRouterPlan[] {
  return routers.map((router, index) => {
    const entry = entryOf(router.settings.name, context);
    const group = groups.find((each) => each.members.includes(index));
    if (router.settings.basePriority === 255)
      return { ...router, ...withoutWeights(router, 'owner', 'its priority is 255', entry, context) };
    if (group === undefined) return router;
    const own = group.trackingWeight
      ? router
      : { ...router, ...withoutWeights(router, 'member', `it is in sync group '${group.name}'`, entry, context) };
    return { ...own, ...withoutThoseOf(group, own) };
  });
}

function withoutThoseOf(group: TrackReferences, own: TrackReferences): TrackReferences {
  const others = (list: readonly TrackReference[], groups: readonly TrackReference[]) =>
    list.filter(({ name }) => !groups.some((each) => each.name === name));
  return {
    trackScripts: others(own.trackScripts, group.trackScripts),
    trackInterfaces: others(own.trackInterfaces, group.trackInterfaces),
    trackFiles: others(own.trackFiles, group.trackFiles),
    trackProcesses: others(own.trackProcesses, group.trackProcesses),
    trackBfd: others(own.trackBfd, group.trackBfd),
  };
}

/**
 * What becomes of trackers with a weight, as in Keepalived 2.2.7: a member of a sync group loses them but keeps interfaces, unweighted;
 * the owner of the address loses all; a group with the owner among its members keeps all, unweighted.
 */
function withoutWeights(
  references: TrackReferences,
  situation: 'member' | 'owner' | 'group',
  reason: string,
  entry: Entry,
  context: PlanContext,
): TrackReferences {
  const settle = (list: readonly TrackReference[], kept: boolean) =>
    list.flatMap((reference) => {
      if (reference.weight === 0) return [reference];
      const outcome = kept ? 'means FAULT when it is lost' : 'is not tracked';
      context.warn(
        'conflict',
        entry.place,
        `(${nameOf(entry)}) '${reference.name}' ${outcome}: it has weight ${reference.weight} and ${reason}`,
        'write weight 0 where it is tracked',
      );
      return kept ? [{ ...reference, weight: 0 }] : [];
    });
  const all = situation === 'group';
  return {
    trackScripts: settle(references.trackScripts, all),
    trackInterfaces: settle(references.trackInterfaces, situation !== 'owner'),
    trackFiles: settle(references.trackFiles, all),
    trackProcesses: settle(references.trackProcesses, all),
    trackBfd: settle(references.trackBfd, all),
  };
}

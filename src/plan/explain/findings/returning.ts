/** What happens when the preferred node comes back, and whether the network hears of it. */

import { entriesOf, has, numberOf } from '../../../config/keepalived/config.ts';
import { activeDownMs } from '../../../core/vrrp/intervals.ts';
import type { Member, VirtualRouter } from '../cluster.ts';
import { outcomesOf, type Surroundings } from '../combinations.ts';
import { conditionOf, failuresOf } from '../situation.ts';
import { type Tracker, trackersOf, trackerWord, trackingWith } from '../trackers.ts';
import { type Finding, type FindingContext, finding, placeIn } from './finding.ts';

export function findReturning({ views }: FindingContext): Finding[] {
  return views.flatMap((view) => [
    ...view.router.members.flatMap((member) => [...cancelledWords(member), ...noRefresh(member)]),
    ...nopreemptOnLower(view),
    ...backBeforeChecked(view),
    ...delayedFailover(view),
  ]);
}

function cancelledWords(member: Member): Finding[] {
  const { settings } = member.router;
  const { entries } = member.entry;
  const findings: Finding[] = [];
  if (wroteNopreempt(member) && settings.preempt && settings.initialState === 'active')
    findings.push(finding('nopreempt-with-master', placeIn(member, 'nopreempt'), 'nopreempt has no effect'));
  const delay = numberOf(entries, 'preempt_delay') ?? 0;
  if (delay > 0 && settings.preemptDelayMs === 0)
    findings.push(
      finding('preempt-delay-ignored', placeIn(member, 'preempt_delay'), `preempt_delay ${delay} has no effect`),
    );
  return findings;
}

function wroteNopreempt({ entry }: Member): boolean {
  const last = entry.entries.filter(({ keyword: { word } }) => word === 'preempt' || word === 'nopreempt').at(-1);
  return last?.keyword.word === 'nopreempt';
}

function noRefresh(member: Member): Finding[] {
  const { settings } = member.router;
  if (settings.garp.refreshMs > 0) return [];
  const what = settings.family === 'ipv4' ? 'gratuitous ARP' : 'neighbour advertisement';
  return [
    finding(
      'no-garp-refresh',
      placeIn(member, 'garp_master_refresh'),
      `${settings.name} repeats no ${what} while it is active`,
    ),
  ];
}

function preferred({ router, active }: Surroundings): Member | undefined {
  return router.members.find(({ node }) => node.name === active.keepalived);
}

function nopreemptOnLower(view: Surroundings): Finding[] {
  const first = preferred(view);
  if (first === undefined || !first.router.settings.preempt || wroteNopreempt(first)) return [];
  return others(view.router, first)
    .filter(({ router }) => !router.settings.preempt)
    .map((member) =>
      finding(
        'nopreempt-on-lower',
        placeIn(member, 'nopreempt'),
        `nopreempt is here, and not on ${first.node.name}, which is preferred`,
      ),
    );
}

function others({ members }: VirtualRouter, without: Member): readonly Member[] {
  return members.filter((member) => member !== without);
}

/** Of the nodes that would take over after a check has lowered the preferred one's priority. */
function delayedFailover(view: Surroundings): Finding[] {
  const first = preferred(view);
  if (first === undefined || view.router.members.length < 2) return [];
  const at = view.router.members.indexOf(first);
  const slowed = failuresOf(first).flatMap((failure) => {
    if (failure.tracker === undefined || failure.tracker.weight === 0) return [];
    const { keepalived } = outcomesOf(view.normal.with(at, conditionOf(first, [failure])), view);
    const successor = view.router.members.find(({ node }) => node.name === keepalived.active[0]);
    const delayMs = successor?.router.settings.preemptDelayMs ?? 0;
    // One that does not hear the others is active already, and waits for nothing.
    return keepalived.changed && successor !== undefined && delayMs > 0 && keepalived.maxMs >= delayMs
      ? [{ successor, tracker: failure.tracker, maxMs: keepalived.maxMs }]
      : [];
  });
  return slowed.map(({ successor, tracker, maxMs }) =>
    finding(
      'preempt-delay-slows',
      placeIn(successor, 'preempt_delay'),
      `when ${tracker.name} of ${first.node.name} fails, the take-over lasts up to ${Math.round(maxMs / 100) / 10} s`,
    ),
  );
}

/** Weighted scripts hold nobody back before their first result; the slowest may take its whole timeout. */
function backBeforeChecked(view: Surroundings): Finding[] {
  const member = preferred(view);
  const best = Math.max(0, ...view.router.members.filter((each) => each !== member).map(running));
  if (member === undefined || best === 0) return [];
  const { settings } = member.router;
  const { global } = member.node.plan;
  const delayed = global.startupDelayMs > 0 || global.delayAfterBootMs > 0 || settings.preemptDelayMs > 0;
  if (delayed || !settings.preempt || settings.basePriority === 255) return [];
  const scripts = trackersOf(member).filter(({ kind }) => kind === 'script');
  const unknown = new Set(scripts.map(({ name }) => name));
  const { priority, faults, pending } = trackingWith(member, new Set(), unknown);
  if (faults.length > 0 || pending.length > 0 || priority <= best) return [];
  const downMs = activeDownMs(settings.version, priority, settings.advertisementIntervalMs, settings.downTimerAdverts);
  return scripts
    .filter((tracker) => timeoutOf(tracker, member) > downMs && losesBy(tracker, member, view))
    .map((tracker) =>
      finding(
        'back-before-checked',
        (trackerWord(member, tracker) ?? member.entry).place,
        `${tracker.name} may take ${timeoutOf(tracker, member)} ms, the take-over ${Math.round(downMs)} ms`,
      ),
    );
}

function running(member: Member): number {
  return trackingWith(member, new Set()).priority;
}

function timeoutOf({ name }: Tracker, { node }: Member): number {
  return node.plan.scripts.find((script) => `script ${script.name}` === name)!.timeoutMs;
}

function losesBy(tracker: Tracker, member: Member, view: Surroundings): boolean {
  const failure = failuresOf(member).find((each) => each.tracker?.name === tracker.name);
  if (failure === undefined) return false;
  const at = view.router.members.indexOf(member);
  const { keepalived } = outcomesOf(view.normal.with(at, conditionOf(member, [failure])), view);
  return keepalived.changed;
}

/** Passwords and authentication that do less than they seem to. */
export function findAuthentication({ views }: FindingContext): Finding[] {
  return views.flatMap(({ router }) =>
    router.members.flatMap((member) => {
      const block = entriesOf(member.entry.entries, 'authentication').at(-1);
      if (block === undefined || !has(block.entries, 'auth_type')) return [];
      const { settings } = member.router;
      if (settings.authentication.kind === 'none' && (settings.version === 3 || settings.strict)) {
        const why = settings.version === 3 ? 'version 3 has no authentication' : 'strict mode has no authentication';
        return [finding('authentication-ignored', block.place, why)];
      }
      const password = entriesOf(block.entries, 'auth_pass').at(-1)?.arguments[0];
      const bytes = password === undefined ? 0 : new TextEncoder().encode(password.text).length;
      return bytes > 8
        ? [finding('password-too-long', password!.place, `auth_pass has ${bytes} characters: ${bytes - 8} don't count`)]
        : [];
    }),
  );
}

/** A node's status as lines of text for a person. */

import type { ControlFailure } from '../../adapters/control-socket.ts';
import type { NeighbourReport, PriorityPart, RouterReport, VrrpReport } from '../../engine/failover/control-report.ts';
import { prioritySum } from '../priority-sum.ts';
import { isReport, type NodeStatus } from './ask.ts';
import { type Judgement, judge } from './judge.ts';
import { renderBalancer } from './render-balancer.ts';
import { age, count, type Paint, type Style, times } from './text.ts';

const stateStyle: Readonly<Record<RouterReport['state'], Style>> = {
  MASTER: 'green',
  BACKUP: 'cyan',
  FAULT: 'red',
  INIT: 'yellow',
};

/** @param before an earlier answer: rates are shown then. */
export function renderStatus(status: NodeStatus, paint: Paint, before?: NodeStatus): string[] {
  const { vrrp, balancer } = status;
  const earlier = before !== undefined && isReport(before.balancer) ? before.balancer : undefined;
  return [
    ...renderJudgement(judge(status), paint),
    '',
    ...(isReport(vrrp) ? renderVrrp(vrrp, paint) : [absent('VRRP', vrrp, paint)]),
    '',
    ...(isReport(balancer) ? renderBalancer(balancer, paint, earlier) : [absent('Balancer', balancer, paint)]),
  ];
}

/** First, so that no small terminal cuts it off. */
function renderJudgement({ exitStatus, troubles, remarks }: Judgement, paint: Paint): string[] {
  const verdict =
    exitStatus === 2 && troubles.length === 0
      ? [`${paint('red', '✗')} nothing of Evergate runs here (--socket, when it was started with one)`]
      : troubles.length === 0
        ? [`${paint('green', '✔')} all is well`]
        : troubles.map((trouble) => `${paint('red', '✗')} ${trouble}`);
  return [...verdict, ...remarks.map((remark) => `${paint('yellow', '!')} ${remark}`)];
}

function absent(half: string, failure: ControlFailure, paint: Paint): string {
  const word =
    failure.kind === 'absent' ? 'not running here' : failure.kind === 'permission' ? 'not for you' : 'silent';
  return `${paint('bold', half)}  ${paint(failure.kind === 'absent' ? 'dim' : 'red', `${word} (${failure.reason})`)}`;
}

function renderVrrp(report: VrrpReport, paint: Paint): string[] {
  const head = `${paint('bold', 'VRRP')}  ${report.routerId}  ${paint('dim', `process ${report.pid}, Evergate ${report.version}`)}`;
  const groups = report.syncGroups.map(({ name, members }) => `  sync group ${name}: ${members.join(', ')}`);
  if (report.routers.length === 0) return [head, '  takes no part yet (startup delay), or no instance is configured'];
  return [head, ...groups, ...report.routers.flatMap((router) => ['', ...renderRouter(router, report.wallMs, paint)])];
}

function renderRouter(router: RouterReport, wallMs: number, paint: Paint): string[] {
  const since = new Date(wallMs - router.stateAgeMs);
  const state = paint('bold', paint(stateStyle[router.state], router.state));
  const wire = `${router.interface === '' ? router.transport : `${router.interface}, ${router.transport}`}, VRID ${router.virtualRouterId}, version ${router.version}, every ${router.advertisementIntervalMs / 1000} s`;
  const { statistics: sent, transitions } = router;
  const refused = Object.entries(sent.errors).filter(([kind, number]) => number > 0 && kind !== 'own');
  return [
    `  ${paint('bold', router.name)}  ${state} for ${age(router.stateAgeMs)} (${moment(since, wallMs)}): ${router.reason}`,
    row('on', wire, paint),
    row('priority', priority(router, paint), paint),
    ...many('fault', router.faults, paint).map((line) => paint('red', line)),
    ...many('heard', heard(router, paint), paint),
    ...many('address', addresses(router, paint), paint),
    ...many('conflict', conflicts(router, paint), paint),
    row('history', `${times(transitions.toActive)} MASTER, given up ${times(transitions.fromActive)}`, paint),
    row(
      'packets',
      `${count(sent.advertisementsSent)} sent, ${count(sent.advertisementsReceived)} heard; resignations: ${count(sent.priorityZeroSent)} sent, ${count(sent.priorityZeroReceived)} heard` +
        (refused.length === 0
          ? ''
          : `; ${paint('yellow', `refused: ${refused.map(([kind, number]) => `${count(number)} ${kind}`).join(', ')}`)}`),
      paint,
    ),
  ];
}

function row(title: string, text: string, paint: Paint): string {
  return `    ${paint('dim', title.padEnd(9))} ${text}`;
}

/** The title stands before the first line only. */
function many(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.map((line, index) => row(index === 0 ? title : '', line, paint));
}

function priority({ priority: { running, base, parts } }: RouterReport, paint: Paint): string {
  // A file that asks for FAULT with its number has no part in the sum.
  const changes = parts.filter(({ weight, change }) => weight !== 0 && change >= -253);
  const told = parts.map((part) => describePart(part, paint)).join(', ');
  const amounts = changes.map(({ change }) => change);
  const made = changes.length === 0 ? '' : ` = ${prioritySum(base, amounts, running)}`;
  return `${paint('bold', String(running))}${made}${told === '' ? '' : `  (${told})`}`;
}

function describePart({ name, weight, reverse, result }: PriorityPart, paint: Paint): string {
  const word =
    typeof result === 'number'
      ? `says ${result}`
      : { well: 'well', failed: 'failed', unknown: 'no result yet' }[result];
  const bad = (typeof result === 'number' ? result !== 0 : result === 'failed') !== reverse;
  const effect = weight === 0 ? 'or FAULT' : `weight ${weight > 0 ? '+' : ''}${weight}`;
  return `${name}: ${result === 'unknown' || bad ? paint('yellow', word) : word}, ${effect}${reverse ? ' reverse' : ''}`;
}

function heard(router: RouterReport, paint: Paint): string[] {
  if (router.neighbours.length > 0) return router.neighbours.map((each) => describeNeighbour(each, router, paint));
  if (router.state === 'MASTER') return [paint('dim', 'nobody yet: standbys are silent')];
  return [paint('yellow', 'nobody')];
}

function describeNeighbour(each: NeighbourReport, router: RouterReport, paint: Paint): string {
  const parts: string[] = [];
  if (each.priority !== undefined && each.ageMs !== undefined) {
    const patience = 3 * (each.advertisementIntervalMs ?? 0) + 1000;
    const active = router.state !== 'MASTER' && each.priority > 0 && each.ageMs <= patience;
    const word =
      each.priority === 0 ? 'resigned' : `priority ${each.priority}${active ? `, ${paint('green', 'MASTER')}` : ''}`;
    parts.push(`${word}, ${age(each.ageMs)} ago${each.watched ? ', watched by BFD' : ''}`);
  }
  if (each.addressDifference !== undefined) parts.push(paint('yellow', each.addressDifference));
  if (each.lastRefusal !== undefined) {
    const { message, ageMs } = each.lastRefusal;
    parts.push(paint('yellow', `refused ${times(each.refused)}, last ${age(ageMs)} ago: ${message}`));
  }
  return `${each.source}  ${parts.join('; ')}`;
}

function addresses({ addresses: all }: RouterReport, paint: Paint): string[] {
  return all.map(({ address, prefix, device, excluded, present, wanted }) => {
    const word = present
      ? wanted
        ? paint('green', 'here')
        : paint('red', 'here, and should not be')
      : wanted
        ? paint('red', 'missing')
        : paint('dim', 'not here');
    return `${address}/${prefix} on ${device}: ${word}${excluded ? paint('dim', ', not advertised') : ''}`;
  });
}

function conflicts({ conflicts: all }: RouterReport, paint: Paint): string[] {
  return all.map(({ address, hardwareAddress, ageMs, count: number, goesOn }) =>
    goesOn
      ? paint('red', `${hardwareAddress} claims ${address} too, ${times(number)}, last ${age(ageMs)} ago`)
      : paint('yellow', `over: ${hardwareAddress} claimed ${address} too, ${times(number)}, last ${age(ageMs)} ago`),
  );
}

/** The time of day, and the date when it was another day. */
function moment(then: Date, nowMs: number): string {
  const time = then.toTimeString().slice(0, 8);
  const sameDay = then.toDateString() === new Date(nowMs).toDateString();
  return sameDay
    ? `since ${time}`
    : `since ${then.getFullYear()}-${pad(then.getMonth() + 1)}-${pad(then.getDate())} ${time}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

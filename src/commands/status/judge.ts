/** What is wrong with a node, in words: decides the exit status and what is shown in red. */
import type { NeighbourReport, RouterReport } from '../../engine/failover/control-report.ts';
import type { BalancerReport } from '../balance/control.ts';
import { isReport, type NodeStatus } from './ask.ts';

export interface Judgement {
  /** 0 all is well, 1 something is not, 2 nobody answers. */
  readonly exitStatus: 0 | 1 | 2;
  readonly troubles: readonly string[];
  /** Worth knowing, and no fault of the node: clients are served all the same. */
  readonly remarks: readonly string[];
}

export function judge({ vrrp, balancer }: NodeStatus): Judgement {
  const troubles: string[] = [];
  if (isReport(vrrp)) for (const router of vrrp.routers) troubles.push(...routerTroubles(router));
  else if (vrrp.kind !== 'absent') troubles.push(`the VRRP daemon does not answer: ${vrrp.reason}`);
  else if (isReport(balancer) && balancer.launched) troubles.push('the VRRP daemon of this node does not run');
  if (isReport(balancer)) troubles.push(...balancerTroubles(balancer));
  else if (balancer.kind !== 'absent') troubles.push(`the balancer does not answer: ${balancer.reason}`);
  else if (isReport(vrrp) && vrrp.launched) troubles.push('the balancer of this node does not run');
  if (!isReport(vrrp) && !isReport(balancer)) return { exitStatus: 2, troubles, remarks: [] };
  const remarks = isReport(balancer) ? balancerRemarks(balancer) : [];
  return { exitStatus: troubles.length > 0 ? 1 : 0, troubles, remarks };
}

export function routerTroubles(router: RouterReport): string[] {
  const { name, state } = router;
  const troubles: string[] = [];
  if (router.handedOver) {
    const { handedOverSinceMs: since } = router;
    const when = since === undefined ? '' : ` on ${new Date(since).toLocaleString('sv-SE')}`;
    troubles.push(`${name} was handed over${when}: \`evergate resume\` lets it take part again`);
  }
  for (const fault of router.faults)
    if (!router.handedOver || router.faults.length > 1) troubles.push(`${name} is in FAULT: ${fault}`);
  if (state === 'INIT') troubles.push(`${name} takes no part yet: ${router.reason}`);
  for (const { address, device, present, wanted } of router.addresses) {
    if (wanted && !present) troubles.push(`${name} is MASTER, but ${address} is not on ${device}`);
    if (!wanted && present) troubles.push(`${name} is ${state}, but ${address} is on ${device}`);
  }
  for (const { address, hardwareAddress, goesOn } of router.conflicts)
    if (state === 'MASTER' && goesOn) troubles.push(`${name}: ${hardwareAddress} claims ${address} too`);
  for (const neighbour of router.neighbours) troubles.push(...neighbourTroubles(router, neighbour));
  return [...new Set(troubles)];
}

/** Standbys are silent: what one of them said while it was active may not be true any more. */
function neighbourTroubles({ name, advertisementIntervalMs }: RouterReport, neighbour: NeighbourReport): string[] {
  const { source, lastRefusal, addressDifference } = neighbour;
  const isFresh = (ageMs: number | undefined) => ageMs !== undefined && ageMs < 4 * advertisementIntervalMs;
  const troubles: string[] = [];
  if (lastRefusal !== undefined && isFresh(lastRefusal.ageMs))
    troubles.push(`${name} refuses what ${source} sends: ${lastRefusal.message}`);
  if (addressDifference !== undefined && isFresh(neighbour.ageMs))
    troubles.push(
      `${name}: ${source} ${addressDifference}. Nobody has such an address while the other node is MASTER: write the same virtual_ipaddress block on both`,
    );
  return troubles;
}

function balancerTroubles({ serving, reason, stats }: BalancerReport): string[] {
  const troubles: string[] = [];
  if (!serving) troubles.push(`the balancer does not serve: ${reason}`);
  for (const { own } of stats.backends)
    if (own.status === 'DOWN') troubles.push(`backend ${own.pxname} has no server left`);
  for (const [worker, { alive }] of stats.process.workers.entries())
    if (!alive && !stats.process.stopping) troubles.push(`worker thread ${worker + 1} is not running`);
  return troubles;
}

function balancerRemarks({ stats }: BalancerReport): string[] {
  return stats.backends.flatMap(({ own, servers }) =>
    servers
      .filter(({ status }) => own.status !== 'DOWN' && status.startsWith('DOWN'))
      .map(
        ({ svname, check_status }) =>
          `server ${own.pxname}/${svname} is down${check_status === '' ? '' : ` (${check_status})`}`,
      ),
  );
}

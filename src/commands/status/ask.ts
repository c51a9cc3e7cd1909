/** Asks both halves of the node that runs here. */
import { ControlClient, type ControlFailure, controlAddress } from '../../adapters/control-socket.ts';
import type { ControlAnswer } from '../../engine/failover/control.ts';
import type { VrrpReport } from '../../engine/failover/control-report.ts';
import type { BalancerAnswer, BalancerReport } from '../balance/control.ts';

export interface NodeStatus {
  readonly vrrp: VrrpReport | ControlFailure;
  readonly balancer: BalancerReport | ControlFailure;
}

export function isReport<T extends { readonly half: string }>(answer: T | ControlFailure): answer is T {
  return 'half' in answer;
}

/** @param node `--socket`. */
export async function askStatus(node: string | undefined): Promise<NodeStatus> {
  const [vrrp, balancer] = await Promise.all([
    ask<VrrpReport>(controlAddress(node, 'vrrp')),
    ask<BalancerReport>(controlAddress(node, 'balance')),
  ]);
  return { vrrp, balancer };
}

async function ask<T>(address: string): Promise<T | ControlFailure> {
  const client = await ControlClient.open(address);
  if (!(client instanceof ControlClient)) return client;
  try {
    const answer = (await client.ask('status')) as ControlAnswer | BalancerAnswer;
    if (answer.ok && 'status' in answer) return answer.status as unknown as T;
    const reason = 'message' in answer ? answer.message : 'another answer than a status';
    return { kind: 'broken', reason: `${address}: ${reason}` };
  } catch (error) {
    return { kind: 'broken', reason: `${address}: ${(error as Error).message}` };
  } finally {
    client.close();
  }
}

/** A connection to the VRRP daemon, or the end of this process with status 2 and the reason. */
export async function openVrrp(node: string | undefined): Promise<ControlClient> {
  const client = await ControlClient.open(controlAddress(node, 'vrrp'));
  if (client instanceof ControlClient) return client;
  process.stderr.write(`evergate: no VRRP daemon answers here: ${client.reason}\n`);
  process.exit(2);
}

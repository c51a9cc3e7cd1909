/** What state a cluster is in as far as faults brought it there: the input of the prediction. Pure. */
import type { Step } from './drill-file.ts';

export interface NodeSituation {
  readonly powered: boolean;
  readonly linked: boolean;
  readonly vrrp: 'running' | 'frozen' | 'dead';
  readonly balancer: 'serving' | 'frozen' | 'dead';
  /** What its firewall lets through of the advertisements. */
  readonly hears: boolean;
  readonly isHeard: boolean;
}

export interface Situation {
  readonly nodes: ReadonlyMap<string, NodeSituation>;
  /** Servers that answer as they should. */
  readonly servers: ReadonlyMap<string, boolean>;
}

export function healthy(nodes: readonly string[], servers: readonly string[]): Situation {
  const well: NodeSituation = {
    powered: true,
    linked: true,
    vrrp: 'running',
    balancer: 'serving',
    hears: true,
    isHeard: true,
  };
  return {
    nodes: new Map(nodes.map((node) => [node, well])),
    servers: new Map(servers.map((server) => [server, true])),
  };
}

/** The situation after a step. `targets`: nodes or servers that it happened on. */
export function after(situation: Situation, step: Step, targets: readonly string[]): Situation {
  const change = (update: Partial<NodeSituation>): Situation => ({
    ...situation,
    nodes: new Map([...situation.nodes].map(([n, now]) => [n, targets.includes(n) ? { ...now, ...update } : now])),
  });
  const servers = (well: boolean): Situation => ({
    ...situation,
    servers: new Map([...situation.servers].map(([s, now]) => [s, targets.includes(s) ? well : now])),
  });
  const both = (state: 'frozen' | 'dead') => change({ vrrp: state, balancer: state });
  switch (step.verb) {
    case 'kill':
      if (step.what === 'server') return servers(false);
      if (step.what === 'both') return both('dead');
      if (step.what === 'vrrp') return change({ vrrp: 'dead' });
      return step.what === 'balancer' ? change({ balancer: 'dead' }) : situation;
    case 'freeze':
      if (step.what === 'server') return servers(false);
      if (step.what === 'node') return both('frozen');
      return step.what === 'vrrp' ? change({ vrrp: 'frozen' }) : change({ balancer: 'frozen' });
    case 'thaw':
      if (step.what === 'server') return servers(true);
      return change({ vrrp: 'running', balancer: 'serving' });
    case 'start':
      if (step.what === 'server') return servers(true);
      return step.what === 'node' ? change({ vrrp: 'running', balancer: 'serving' }) : situation;
    case 'stop':
      return both('dead');
    case 'unplug':
      return change({ linked: false });
    case 'plug':
      return change({ linked: true });
    case 'power':
      return step.what === 'on'
        ? change({ powered: true, vrrp: 'running', balancer: 'serving' })
        : change({ powered: false, vrrp: 'dead', balancer: 'dead' });
    case 'answer':
      return servers(step.what === 'ok' || step.what.startsWith('slow'));
    case 'firewall':
      return change({
        hears: step.what === 'off' || step.what === 'eats sent advertisements',
        isHeard: step.what === 'off' || step.what === 'eats received advertisements',
      });
    default:
      return situation;
  }
}

/** A step in words, for timelines: `kill balancer on lb1`. */
export function describeStep(step: Step, targets: readonly string[]): string {
  const where = targets.length === 0 || step.on === 'client' ? '' : ` on ${targets.join(', ')}`;
  const what = step.verb === 'stop' || step.verb === 'unplug' || step.verb === 'plug' ? '' : ` ${step.what}`;
  return `${step.verb}${what}${where}`.replace(/^(kill|start|freeze|thaw) server on /, '$1 ');
}

/** Configuration texts as nodes, and the same nodes running in virtual time: what the tests of `explain` share. */
import assert from 'node:assert/strict';
import { PlanCluster, type PlanWorldName } from '../../sim/vrrp/plan-cluster.ts';
import { parseHaproxy } from '../../src/config/haproxy/parse.ts';
import { parseKeepalived } from '../../src/config/keepalived/parse.ts';
import type { Random } from '../../src/engine/ports/time.ts';
import { buildVrrpPlan } from '../../src/plan/build-vrrp.ts';
import { buildCluster, type NodeFile } from '../../src/plan/explain/cluster.ts';
import { type Explanation, explain } from '../../src/plan/explain/explain.ts';
import type { FindingName } from '../../src/plan/explain/findings/catalogue.ts';

/** Texts by node; `haproxy` is the balancer's file. */
export type Texts = Readonly<Record<string, string>>;

export function nodesOf(texts: Texts): NodeFile[] {
  return Object.entries(texts)
    .filter(([name]) => name !== 'haproxy')
    .map(([name, text]) => nodeOf(name, text));
}

export function nodeOf(name: string, text: string): NodeFile {
  const file = `${name}.conf`;
  const environment = { configId: name, readFiles: () => [] };
  const { config, diagnostics } = parseKeepalived([{ path: file, text }], environment);
  const built = buildVrrpPlan(config, { hostname: name });
  const alerts = [...diagnostics, ...built.diagnostics].filter(({ severity }) => severity === 'alert');
  assert.ok(built.plan !== undefined && alerts.length === 0, `${file}: ${alerts[0]?.message}`);
  return { name, file, plan: built.plan, config };
}

export function explained(texts: Texts): Explanation {
  const { haproxy } = texts;
  const balancer =
    haproxy === undefined
      ? undefined
      : { file: 'haproxy.cfg', config: parseHaproxy([{ path: 'haproxy.cfg', text: haproxy }], []).config };
  return explain(nodesOf(texts), balancer);
}

/** The names of what is found, each once, sorted. */
export function findingNames(texts: Texts): FindingName[] {
  return [...new Set(explained(texts).findings.map(({ finding }) => finding))].sort();
}

/** The nodes in virtual time, all started at 0. @param chance given: Evergate's nodes watch each other by BFD. */
export function running(nodes: readonly NodeFile[], world: PlanWorldName, chance?: Random): PlanCluster {
  const { routers } = buildCluster(nodes);
  return new PlanCluster(
    nodes.map((node) => {
      const shares = routers.flatMap(({ members }) => members).filter((member) => member.node === node);
      const byInterface = Map.groupBy(shares, ({ router }) => router.settings.interface);
      // Addresses that no file names are made up from the node's number: another network has others.
      const sources = [...byInterface].map(
        ([name, each], index) =>
          [name, each.map(({ source }) => source.replace(/^192\.0\.2\./, `192.0.${2 + index}.`))] as const,
      );
      return { name: node.name, plan: node.plan, sources: new Map(sources) };
    }),
    world,
    chance,
  );
}

/** The explanation for programs: plain values with stable names; times in milliseconds. */
import type { Diagnostic } from '../../config/diagnostic.ts';
import type { Explanation, FailureRow, RouterExplanation } from '../../plan/explain/explain.ts';
import type { Finding } from '../../plan/explain/findings/finding.ts';

export function explanationJson(
  { cluster, routers }: Explanation,
  findings: readonly Finding[],
  diagnostics: readonly Diagnostic[],
): unknown {
  return {
    nodes: cluster.nodes.map(({ name, file }) => ({ name, file })),
    virtualRouters: routers.map(routerJson),
    findings,
    diagnostics,
  };
}

function routerJson(explained: RouterExplanation) {
  const { router, priorities, normal, failures, comesBack, partition, combinations } = explained;
  const { settings } = router.members[0]!.router;
  return {
    name: router.name,
    virtualRouterId: settings.virtualRouterId,
    version: settings.version,
    addresses: settings.addresses.map(({ address }) => address),
    priorities: priorities.map(({ member, base, running, parts }) => ({
      node: member.node.name,
      base,
      running,
      trackers: parts.map(({ tracker, now, failed }) => ({
        name: tracker.name,
        weight: tracker.weight,
        reverse: tracker.reverse,
        adds: now,
        priorityWhenFailed: failed ?? null,
        faultWhenFailed: failed === undefined,
        noticedMs: { min: tracker.noticed.minMs, max: tracker.noticed.maxMs },
      })),
    })),
    activeDownMs: explained.activeDownMs,
    normal,
    failures: failures.map(rowJson),
    comesBack: comesBack === undefined ? null : rowJson(comesBack),
    partition: partition === undefined ? null : rowJson(partition),
    combinations: {
      limit: combinations.limit ?? null,
      all: combinations.all.map(({ conditions, outcome }) => ({
        failures: Object.fromEntries(
          conditions.map((condition, index) => [
            router.members[index]!.node.name,
            condition.failures.map(({ id }) => id),
          ]),
        ),
        outcome,
      })),
    },
  };
}

function rowJson({ node, ids, outcome }: FailureRow) {
  return { node, failures: ids, outcome };
}

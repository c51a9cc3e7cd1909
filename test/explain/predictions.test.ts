/**
 * What `explain` says comes true: every failure, and every pair of failures on different nodes, of every golden cluster is played in
 * virtual time by the real failover engine, at several moments, in both worlds. The same node must be active at the end, and not later
 * than told.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { frameMs, type PlanCluster } from '../../sim/vrrp/plan-cluster.ts';
import { explain, type RouterExplanation } from '../../src/plan/explain/explain.ts';
import type { Outcome } from '../../src/plan/explain/outcome.ts';
import { worlds } from '../../src/plan/explain/situation.ts';
import { nodeOf, running } from './files.ts';

/** Milliseconds after the start, when everything has settled: moments within an interval of adverts and checks. */
const moments = [60_000.05, 60_333.3, 61_017.9, 61_871.2];
/** A resignation passes the network once; a take-over is heard one frame later. */
const slackMs = 4 * frameMs;

const folder = new URL('../golden/explain/', import.meta.url).pathname;
const clusters = Map.groupBy(globSync(`${folder}*/*.conf`).sort(), dirname);

for (const [path, files] of clusters) {
  const nodes = files.map((file) => nodeOf(basename(file, '.conf'), readFileSync(file, 'utf8')));
  for (const world of worlds)
    test(`${basename(path)} in ${world}'s world`, () => {
      for (const router of explain(nodes, undefined).routers) {
        const name = router.router.members[0]!.router.settings.name;
        const start = (at: number) => {
          const cluster = running(nodes, world);
          cluster.run(at);
          assert.deepEqual(cluster.active(name), router.normal[world].active);
          return cluster;
        };
        assert.ok(played(router) > 20);
        for (const { conditions, outcome } of router.combinations.all) {
          const failing = conditions.flatMap(({ failures }, index) =>
            failures.map(({ id }) => ({ node: nodes[index]!.name, id })),
          );
          if (failing.length === 0 || failing.length > 2 || failing.some(({ id }) => id.startsWith('process')))
            continue;
          for (const at of moments) {
            const cluster = start(at);
            for (const { node, id } of failing) fail(cluster, node, id);
            const told = failing.map(({ node, id }) => `${node} ${id}`).join(', ');
            judge(cluster, name, outcome[world], `${name}: ${told} at ${at}`);
          }
        }
      }
    });

  for (const world of worlds)
    test(`${basename(path)}: the preferred node comes back, in ${world}'s world`, () => {
      for (const { router, comesBack } of explain(nodes, undefined).routers) {
        const name = router.members[0]!.router.settings.name;
        assert.ok(comesBack !== undefined);
        for (const at of moments) {
          const cluster = running(nodes, world);
          cluster.run(30_000);
          cluster.lose(comesBack.node);
          cluster.run(at);
          cluster.start(comesBack.node);
          judge(cluster, name, comesBack.outcome[world], `${name}: comes back at ${at}`);
        }
      }
    });
}

for (const [path, files] of clusters) {
  const nodes = files.map((file) => nodeOf(basename(file, '.conf'), readFileSync(file, 'utf8')));
  for (const world of worlds)
    test(`${basename(path)}: the preferred node is cut off, in ${world}'s world`, () => {
      for (const { router, partition } of explain(nodes, undefined).routers) {
        assert.ok(partition !== undefined);
        for (const at of moments) {
          const cluster = running(nodes, world);
          cluster.run(at);
          for (const { name } of nodes) if (name !== partition.node) cluster.cut(partition.node, name);
          judge(cluster, router.members[0]!.router.settings.name, partition.outcome[world], `cut off at ${at}`);
        }
      }
    });
}

function played({ combinations }: RouterExplanation): number {
  return combinations.all.filter(({ conditions }) => conditions.some(({ failures }) => failures.length > 0)).length;
}

function fail(cluster: PlanCluster, node: string, id: string): void {
  const [kind, name = ''] = id.split(' ');
  if (kind === 'host') cluster.lose(node);
  else if (kind === 'stop') cluster.stop(node);
  else if (kind === 'balancer') cluster.setBalancer(node, 'dead');
  else if (kind === 'script') cluster.setScript(node, name, 'fails');
  else if (kind === 'link' || kind === 'interface') cluster.setLink(node, name, false);
  else assert.fail(`no such failure: ${id}`);
}

/** The last change has come not later than told, and then nothing changes any more. */
function judge(cluster: PlanCluster, router: string, outcome: Outcome, what: string): void {
  const from = cluster.time.now();
  cluster.run(outcome.maxMs + slackMs);
  const settled = cluster.active(router);
  assert.deepEqual(settled, outcome.active, `${what}: ${outcome.formula}`);
  if (outcome.changed && outcome.active.length > 0) {
    const change = cluster.changes.findLast((each) => each.router === router)!;
    assert.ok(
      change.at - from >= outcome.minMs - slackMs,
      `${what}: after ${change.at - from} ms, before ${outcome.minMs}`,
    );
  }
  cluster.run(20_000);
  assert.deepEqual(cluster.active(router), settled, `${what}, 20 s later`);
}

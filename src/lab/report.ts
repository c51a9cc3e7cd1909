/** What a session of drills leaves behind: the data of every report, and its JSON form. */
import type { Drill } from './drill-file.ts';
import type { Engine } from './engine.ts';
import type { LoadedCluster } from './load-cluster.ts';
import type { ProbeRecord } from './prober/outage.ts';
import type { Observation, ServiceLevel, Summary, Verdict } from './verdict.ts';

export interface TrialResult {
  readonly observation: Observation;
  readonly verdict: Verdict;
}

export interface Report {
  readonly version: string;
  readonly engine: Engine;
  readonly cluster: LoadedCluster;
  readonly slo: ServiceLevel;
  readonly trials: number;
  readonly summaries: readonly Summary[];
  readonly results: readonly TrialResult[];
  /** Where it was played: on real processes in namespaces, or in virtual time. */
  readonly world: 'namespaces' | 'simulator';
  /** Drills that this world can't play, each with the reason. */
  readonly notPlayed: readonly { readonly drill: Drill; readonly why: string }[];
}

/** Everything but the single requests: those are in the page. */
export function jsonReport(report: Report): string {
  const { version, engine, cluster, slo, trials, summaries, results, world, notPlayed } = report;
  const { topology, standIns } = cluster;
  const facts = {
    version,
    engine: engine.name,
    world,
    cluster: {
      virtualAddress: topology.virtualAddress,
      port: topology.port,
      nodes: topology.nodes.map(({ name, interfaces }) => ({ name, interfaces })),
      servers: topology.servers.map(({ name, interfaces }) => ({ name, interfaces })),
      standIns,
    },
    slo,
    trials,
    drills: summaries.map(({ drill, ...summary }) => ({
      name: drill.name,
      title: drill.title,
      ...summary,
      runs: results
        .filter(({ observation }) => observation.drill === drill)
        .map(({ observation, verdict }) => ({
          ...verdict,
          trial: observation.trial,
          predictions: observation.predictions,
          marks: observation.marks,
          holdings: observation.holdings,
          failures: observation.records.filter(({ outcome }) => outcome !== 'ok').map(failure),
        })),
    })),
    notPlayed: notPlayed.map(({ drill, why }) => ({ name: drill.name, title: drill.title, why })),
  };
  return `${JSON.stringify(facts, (_, value) => (typeof value === 'number' ? round(value) : value), 2)}\n`;
}

function failure({ started, finished, outcome, status, kind }: ProbeRecord) {
  return { at: started, ms: finished - started, outcome, status, kind };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

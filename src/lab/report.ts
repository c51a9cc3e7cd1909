/** What a session of drills leaves behind: the data of every report, and its JSON form. */
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
}

/** Everything but the single requests: those are in the page. */
export function jsonReport({ version, engine, cluster, slo, trials, summaries, results }: Report): string {
  const { topology, standIns } = cluster;
  const report = {
    version,
    engine: engine.name,
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
  };
  return `${JSON.stringify(report, (_, value) => (typeof value === 'number' ? round(value) : value), 2)}\n`;
}

function failure({ started, finished, outcome, status, kind }: ProbeRecord) {
  return { at: started, ms: finished - started, outcome, status, kind };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** What a stand-in host offers: the language between the topology, the cluster and the stand-in program. */

export interface HostedService {
  readonly kind: 'web' | 'log';
  /** What it says it is; empty for a log receiver. */
  readonly title: string;
  readonly host: string;
  readonly port: number;
  /** How the health check is answered. Absent: like everything else, 200 and the page. */
  readonly check?: {
    readonly method: string;
    readonly path: string;
    readonly status: number;
    /** Text that the configured check looks for. */
    readonly contains: string;
  };
}

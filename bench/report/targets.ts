/** What the project has set itself, as ratios to HAProxy with as many threads in the same run. */

export interface Target {
  readonly cpu: number;
  readonly p99: number;
}

const bySetting: Readonly<Record<number, Target>> = {
  1: { cpu: 0.8, p99: 1.0 },
  2: { cpu: 0.55, p99: 1.0 },
  3: { cpu: 1.0, p99: 1.1 },
  4: { cpu: 1.0, p99: 1.1 },
  5: { cpu: 0.9, p99: 1.0 },
};

/** The portable adapter has one target: CPU in setting 1. */
const portableCpu = 1.3;

export function targetOf(setting: number, peer: string): Partial<Target> {
  if (peer === 'evergate-uring') return bySetting[setting] ?? {};
  return peer === 'evergate-net' && setting === 1 ? { cpu: portableCpu } : {};
}

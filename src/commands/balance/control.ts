/** What the balancer answers on its control socket: `status`, for `evergate status`. */
import { realClock } from '../../adapters/clock.ts';
import { controlAddress, serveControl } from '../../adapters/control-socket.ts';
import { type Stats, snapshot } from '../../engine/stats.ts';
import { versionNumber } from '../version.ts';
import type { Supervisor } from './supervisor.ts';

export interface BalancerReport {
  readonly half: 'balance';
  readonly pid: number;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  readonly startedWallMs: number;
  /** True when the launcher of `evergate run` started it: then a VRRP daemon belongs to it. */
  readonly launched: boolean;
  readonly serving: boolean;
  /** Why it does not serve. */
  readonly reason: string | undefined;
  /** HAProxy's field names (management guide 9.1). */
  readonly stats: Stats;
}

export type BalancerAnswer =
  | { readonly ok: true; readonly status: BalancerReport }
  | { readonly ok: false; readonly error: 'unknown-question' | 'starting'; readonly message: string };

export interface BalancerControlOptions {
  /** `--socket`: the node's name, a path or @name. */
  readonly node: string | undefined;
  readonly launched: boolean;
  readonly failed: (reason: string) => void;
}

/** Called before privileges are dropped, so that clients see root at the other end. */
export function openBalancerControl(supervisor: Supervisor, options: BalancerControlOptions): { close(): void } {
  const startedWallMs = realClock.wall();
  const version = versionNumber();
  return serveControl({
    address: controlAddress(options.node, 'balance'),
    failed: options.failed,
    answer: (line): BalancerAnswer => {
      if (line !== 'status') return { ok: false, error: 'unknown-question', message: 'the question is: status' };
      const board = supervisor.generation?.board;
      if (board === undefined) return { ok: false, error: 'starting', message: 'the balancer is starting' };
      const wallMs = realClock.wall();
      const { readiness } = supervisor;
      const serving = readiness === 'serving';
      return {
        ok: true,
        status: {
          half: 'balance',
          pid: process.pid,
          version,
          wallMs,
          startedWallMs,
          launched: options.launched,
          serving,
          reason: serving ? undefined : readiness.replace(/^(not-serving|degraded) /, ''),
          stats: snapshot(board, wallMs),
        },
      };
    },
  });
}

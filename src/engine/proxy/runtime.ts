/** What one worker knows of each frontend, backend and server while it runs, and what all its connections share. */
import type { SocketAddress } from '../../core/address.ts';
import { ascii } from '../../core/http1/bytes.ts';
import type { Head } from '../../core/http1/head.ts';
import type { Output } from '../../core/http1/write.ts';
import type { BackendPlan, BalancerPlan, FrontendPlan, ServerPlan } from '../../plan/balancer.ts';
import type { Dispatch } from '../dispatch.ts';
import type { Clock, Random, Streams } from '../ports.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import { IdlePool } from './idle-pool.ts';
import type { ExchangeLog, ProxyStats } from './ports.ts';
import type { ExchangeRecord } from './record.ts';

export interface ServerRuntime {
  readonly plan: ServerPlan;
  /** The plan's, until its name gets another one. */
  address: SocketAddress | undefined;
  readonly idle: IdlePool;
}

export interface BackendRuntime {
  readonly plan: BackendPlan;
  readonly dispatch: Dispatch;
  readonly servers: readonly ServerRuntime[];
  /** Name of the field that `balance hdr` hashes, lower case; undefined for other algorithms. */
  readonly balanceField: Uint8Array | undefined;
  readonly forwardForName: Uint8Array | undefined;
}

export interface FrontendRuntime {
  readonly plan: FrontendPlan;
  readonly backend: BackendRuntime | undefined;
  readonly forwardForName: Uint8Array | undefined;
  readonly monitorUri: Uint8Array | undefined;
  /** A client connection of this frontend is gone: another may be taken. */
  connectionClosed(client: ProxyClient): void;
}

/** A client's connection, as the worker sees it. */
export interface ProxyClient {
  /** Ends it if it waits for a request; it ends after its exchange otherwise. */
  retire(): void;
  /** Ends the session on `server` of `backend`; -1 for both: whatever it is. */
  shutdown(backend: number, server: number): void;
}

/** Shared by everything in one worker. Heads and outputs are used within one call and hold nothing between calls. */
export interface ProxyContext {
  readonly plan: BalancerPlan;
  readonly clock: Clock;
  readonly random: Random;
  readonly streams: Streams;
  readonly wheel: TimerWheel;
  readonly stats: ProxyStats;
  readonly log: ExchangeLog;
  readonly headBytesMax: number;
  readonly requestHead: Head;
  readonly responseHead: Head;
  readonly trailers: Head;
  readonly out: Output;
  readonly record: ExchangeRecord;
  /** The worker takes no new connections and pools none. */
  stopping: boolean;
  /** Client connections end after their next response, which says `Connection: close`. */
  draining: boolean;
}

export function makeBackend(plan: BackendPlan, dispatch: Dispatch): BackendRuntime {
  const { balance } = plan;
  return {
    plan,
    dispatch,
    servers: plan.servers.map((server) => ({
      plan: server,
      address: server.address,
      idle: new IdlePool(server.poolMaxConn),
    })),
    balanceField: balance.algorithm === 'hdr' ? ascii(balance.headerName.toLowerCase()) : undefined,
    forwardForName: forwardForName(plan),
  };
}

export function forwardForName(plan: FrontendPlan | BackendPlan): Uint8Array | undefined {
  return plan.forwardFor === undefined ? undefined : ascii(plan.forwardFor.header.toLowerCase());
}

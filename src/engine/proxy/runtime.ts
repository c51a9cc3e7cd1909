/** What one worker knows of each frontend, backend and server while it runs, and what all its connections share. */
import type { SocketAddress } from '../../core/address.ts';
import { BalanceKey } from '../../core/balance/key.ts';
import type { BodyReader } from '../../core/http1/body.ts';
import { ascii } from '../../core/http1/bytes.ts';
import type { Head } from '../../core/http1/head.ts';
import type { Output } from '../../core/http1/write.ts';
import type { BackendPlan, BalancerPlan, ForwardForPlan, FrontendPlan, ServerPlan } from '../../plan/balancer.ts';
import type { Dispatch } from '../dispatch.ts';
import type { ErrorPage } from '../error-pages.ts';
import type { Streams } from '../ports/streams.ts';
import type { Clock, Random } from '../ports/time.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import type { IdleExchanges } from './idle-exchanges.ts';
import { IdlePool } from './idle-pool.ts';
import type { ExchangeLog, LogMoment, ProxyStats } from './ports.ts';
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
  readonly balanceKey: BalanceKey;
  /** Name of the field that `balance hdr` hashes, lower case. */
  readonly balanceField: Uint8Array;
}

/** `option forwardfor`: the backend's word counts before the frontend's. */
export interface ForwardFor {
  readonly plan: ForwardForPlan;
  /** Lower case. */
  readonly name: Uint8Array;
}

export interface FrontendRuntime {
  readonly plan: FrontendPlan;
  readonly backend: BackendRuntime | undefined;
  readonly forwardFor: ForwardFor | undefined;
  readonly logMoment: LogMoment;
  /** What requests are answered with in a server's place, by status. */
  readonly errorPages: ReadonlyMap<number, ErrorPage>;
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
  readonly lookahead: BodyReader;
  readonly out: Output;
  readonly record: ExchangeRecord;
  readonly idleExchanges: IdleExchanges;
  /** The worker takes no new connections and pools none. */
  stopping: boolean;
  /** Client connections end after their next response, which says `Connection: close`. */
  draining: boolean;
}

export function makeBackend(plan: BackendPlan, dispatch: Dispatch): BackendRuntime {
  const balanceKey = new BalanceKey(plan.balance);
  return {
    plan,
    dispatch,
    servers: plan.servers.map((server) => ({
      plan: server,
      address: server.address,
      idle: new IdlePool(server.poolMaxConn),
    })),
    balanceKey,
    balanceField: ascii(balanceKey.headerName),
  };
}

export function forwardFor(frontend: FrontendPlan, backend: BackendRuntime | undefined): ForwardFor | undefined {
  const plan = backend?.plan.forwardFor ?? frontend.forwardFor;
  return plan === undefined ? undefined : { plan, name: ascii(plan.header.toLowerCase()) };
}

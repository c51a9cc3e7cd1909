/** What is simulated: the daemon's own parts, or a copy of them with one mistake in it. */

import { VirtualRouterMachine } from '../../src/core/vrrp/machine.ts';
import { receiveAdvertisement } from '../../src/core/vrrp/receive.ts';
import { SyncGroup } from '../../src/core/vrrp/sync-group.ts';
import { BfdSessions } from '../../src/engine/failover/bfd-sessions.ts';

export interface Parts {
  readonly VirtualRouterMachine: typeof VirtualRouterMachine;
  readonly SyncGroup: typeof SyncGroup;
  readonly BfdSessions: typeof BfdSessions;
  readonly receiveAdvertisement: typeof receiveAdvertisement;
}

export const ownParts: Parts = { VirtualRouterMachine, SyncGroup, BfdSessions, receiveAdvertisement };

/** Counters of one virtual router, under the names of Keepalived's statistics (keepalived.stats, JSON), where it has one. */

import type { ReceiveError } from './receive.ts';

export interface RouterStatistics {
  advertisementsReceived: number;
  advertisementsSent: number;
  becameActive: number;
  releasedActive: number;
  priorityZeroReceived: number;
  priorityZeroSent: number;
  readonly errors: Record<ReceiveError, number>;
}

export function emptyStatistics(): RouterStatistics {
  return {
    advertisementsReceived: 0,
    advertisementsSent: 0,
    becameActive: 0,
    releasedActive: 0,
    priorityZeroReceived: 0,
    priorityZeroSent: 0,
    errors: {
      length: 0,
      ttl: 0,
      cast: 0,
      source: 0,
      own: 0,
      owner: 0,
      version: 0,
      type: 0,
      'virtual-router-id': 0,
      checksum: 0,
      interval: 0,
      'authentication-type': 0,
      'authentication-mismatch': 0,
      'authentication-failure': 0,
      'address-list': 0,
    },
  };
}

/** Keepalived's JSON fields (SIGJSON) in its order. What it has no name for is in `errors` only. */
export function keepalivedStatistics(statistics: RouterStatistics): Readonly<Record<string, number>> {
  const { errors } = statistics;
  return {
    advert_rcvd: statistics.advertisementsReceived,
    advert_sent: statistics.advertisementsSent,
    become_master: statistics.becameActive,
    release_master: statistics.releasedActive,
    packet_len_err: errors.length,
    advert_interval_err: errors.interval,
    ip_ttl_err: errors.ttl,
    invalid_type_rcvd: errors.type,
    addr_list_err: errors['address-list'],
    invalid_authtype: errors['authentication-type'],
    authtype_mismatch: errors['authentication-mismatch'],
    auth_failure: errors['authentication-failure'],
    pri_zero_rcvd: statistics.priorityZeroReceived,
    pri_zero_sent: statistics.priorityZeroSent,
  };
}

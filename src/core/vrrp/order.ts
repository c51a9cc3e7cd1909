/** Who wins: the higher priority, then the higher address (RFC 9568 §6.4.3, RFC 3768 §6.4.3). */

import { ipBytes } from '../address.ts';

export interface Contender {
  readonly priority: number;
  /** The address it sends from, canonical text. */
  readonly source: string;
}

/** Above zero when `a` wins over `b`; 0 only for the same priority from the same address. */
export function compareContenders(a: Contender, b: Contender): number {
  return a.priority === b.priority ? compareAddresses(a.source, b.source) : a.priority - b.priority;
}

/** As unsigned numbers in network order. A zone (`%eth0`) plays no part. */
export function compareAddresses(a: string, b: string): number {
  if (a === b) return 0;
  const left = ipBytes(withoutZone(a));
  const right = ipBytes(withoutZone(b));
  if (left === undefined || right === undefined || left.length !== right.length) return a < b ? -1 : 1;
  for (let index = 0; index < left.length; index++) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

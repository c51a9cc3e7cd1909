/** The key of `balance source|uri|hdr` and its hash (manual 4.2 balance, hash-type). */
import { ipBytes, type SocketAddress } from '../../core/address.ts';
import { avalanche, crc32, djb2, type HashFunction, sdbm, wt6 } from '../../core/balance/hash.ts';
import type { Head } from '../../core/http1/head.ts';
import type { BalancePlan } from '../../plan/balancer.ts';

const functions: Readonly<Record<BalancePlan['hashFunction'], HashFunction>> = { sdbm, djb2, wt6, crc32, none: number };

/** @returns a hash in [0, 2^32), or -1 when the algorithm has no key or the client gave none. `head` is undefined in TCP mode. */
export function balanceHash(
  plan: BalancePlan,
  fieldName: Uint8Array | undefined,
  head: Head | undefined,
  client: SocketAddress,
): number {
  switch (plan.algorithm) {
    case 'source':
      return sourceHash(plan, client);
    case 'uri':
      return head === undefined ? -1 : uriHash(plan, head);
    case 'hdr': {
      const index = head === undefined || fieldName === undefined ? -1 : head.find(fieldName);
      if (index < 0) return -1;
      const start = head!.offsets[index * 4 + 2]!;
      const end = head!.offsets[index * 4 + 3]!;
      return plan.headerDomainOnly ? domainHash(plan, head!.buffer, start, end) : hash(plan, head!.buffer, start, end);
    }
    default:
      return -1;
  }
}

function hash(plan: BalancePlan, buffer: Uint8Array, start: number, end: number): number {
  const value = functions[plan.hashFunction](buffer, start, end);
  return plan.hashAvalanche ? avalanche(value) : value;
}

/** HAProxy folds an address into 32-bit words in network order, each added by XOR; one IPv4 address is its own hash. */
function sourceHash(plan: BalancePlan, client: SocketAddress): number {
  if (client.family === 'unix') return -1;
  const bytes = ipBytes(client.host);
  if (bytes === undefined) return -1;
  let folded = 0;
  for (let i = 0; i < bytes.length; i += 4)
    folded ^= (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
  folded >>>= 0;
  return plan.hashAvalanche ? avalanche(folded) : folded;
}

function uriHash(plan: BalancePlan, head: Head): number {
  const { buffer } = head;
  let start = head.targetStart;
  let end = head.targetEnd;
  if (plan.uriPathOnly && head.authorityEnd >= 0) start = head.authorityEnd;
  if (plan.uriLength > 0) end = Math.min(end, start + plan.uriLength);
  let slashes = 0;
  for (let at = start; at < end; at++) {
    if (buffer[at] === 47 && ++slashes === plan.uriDepth + 1 && plan.uriDepth > 0) end = at;
    else if (buffer[at] === 63 && !plan.uriWhole) end = at;
  }
  return hash(plan, buffer, start, end);
}

/** `use_domain_only`: of `www.example.com` only `example` counts (manual 4.2 balance hdr). */
function domainHash(plan: BalancePlan, buffer: Uint8Array, start: number, end: number): number {
  let dots = 0;
  let from = start;
  let to = end;
  for (let at = end - 1; at >= start; at--) {
    if (buffer[at] !== 46) continue;
    if (++dots === 1) to = at;
    else {
      from = at + 1;
      break;
    }
  }
  return hash(plan, buffer, from, dots > 0 ? to : end);
}

/** `hash-type … none`: the key is a number already. */
function number(buffer: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end && buffer[at]! >= 48 && buffer[at]! <= 57; at++)
    value = (Math.imul(value, 10) + buffer[at]! - 48) >>> 0;
  return value;
}

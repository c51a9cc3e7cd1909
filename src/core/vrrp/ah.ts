/**
 * The IP authentication header around a version 2 message over IPv4 (RFC 2338 §5.3.6.3, RFC 2402), as Keepalived sends it:
 * HMAC-MD5-96 over the IP header with its mutable fields zeroed, this header with a zeroed digest, and the message.
 * The identification of the IP header is covered, so who sends must know it and who receives must tell it.
 */

import { ipBytes } from '../address.ts';
import { hmacMd5 } from './md5.ts';

export const authenticationHeaderBytes = 24;
const digestAt = 12;
const digestBytes = 12;
const authenticationProtocol = 51;
const vrrpProtocol = 112;

export interface AuthenticatedEnvelope {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly identification?: number;
}

/**
 * Puts the header before `message`. `sequence` counts up from 1 for each advertisement. The security parameter index is the source
 * address, as in Keepalived. `unicast`: the TTL may change under way and is not covered.
 */
export function wrapAuthenticated(
  message: Uint8Array,
  key: Uint8Array,
  sequence: number,
  envelope: AuthenticatedEnvelope,
  unicast: boolean,
): Uint8Array {
  const payload = new Uint8Array(authenticationHeaderBytes + message.length);
  payload[0] = vrrpProtocol;
  payload[1] = authenticationHeaderBytes / 4 - 2; // RFC 2402 §2.2
  payload.set(ipBytes(envelope.source) ?? new Uint8Array(4), 4);
  new DataView(payload.buffer).setUint32(8, sequence);
  payload.set(message, authenticationHeaderBytes);
  payload.set(digestOf(payload, key, envelope, unicast), digestAt);
  return payload;
}

/** Checks and takes the header off. 'length': too short; 'digest': another key, or fields changed on the way. */
export function authenticate(
  packet: AuthenticatedEnvelope & { readonly payload: Uint8Array },
  key: Uint8Array,
  unicast: boolean,
): { readonly payload: Uint8Array; readonly sequence: number } | 'length' | 'digest' {
  const { payload } = packet;
  if (payload.length < authenticationHeaderBytes) return 'length';
  const expected = digestOf(payload, key, packet, unicast);
  const source = ipBytes(packet.source);
  let difference = 0;
  for (let index = 0; index < digestBytes; index++) difference |= expected[index]! ^ payload[digestAt + index]!;
  for (let index = 0; index < 4; index++) difference |= (source?.[index] ?? 0) ^ payload[4 + index]!;
  if (difference !== 0) return 'digest';
  const sequence = new DataView(payload.buffer, payload.byteOffset).getUint32(8);
  return { payload: payload.subarray(authenticationHeaderBytes), sequence };
}

function digestOf(payload: Uint8Array, key: Uint8Array, envelope: AuthenticatedEnvelope, unicast: boolean): Uint8Array {
  const covered = new Uint8Array(20 + payload.length);
  const view = new DataView(covered.buffer);
  covered[0] = 0x45;
  view.setUint16(2, covered.length);
  view.setUint16(4, envelope.identification ?? 0);
  covered[8] = unicast ? 0 : envelope.ttl;
  covered[9] = authenticationProtocol;
  covered.set(ipBytes(envelope.source) ?? new Uint8Array(4), 12);
  covered.set(ipBytes(envelope.destination) ?? new Uint8Array(4), 16);
  covered.set(payload, 20);
  covered.fill(0, 20 + digestAt, 20 + digestAt + digestBytes);
  return hmacMd5(key, covered).subarray(0, digestBytes);
}

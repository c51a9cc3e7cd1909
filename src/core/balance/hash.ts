/**
 * The hash functions of `hash-type` (manual 4.2), over a part of a buffer, unsigned 32 bits. They must give HAProxy's values, because clients are to
 * find the same server behind either balancer.
 */

export type HashFunction = (buffer: Uint8Array, start: number, end: number) => number;

/** sdbm: HAProxy's default. */
export function sdbm(buffer: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) hash = (buffer[at] + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
}

/** Bernstein's hash, times 33. */
export function djb2(buffer: Uint8Array, start: number, end: number): number {
  let hash = 5381;
  for (let at = start; at < end; at++) hash = ((hash << 5) + hash + buffer[at]) | 0;
  return hash >>> 0;
}

/** wt6: designed by HAProxy's author for keys that differ little. */
export function wt6(buffer: Uint8Array, start: number, end: number): number {
  let high = 0xa53c965a | 0;
  let low = 0x5ca6953a | 0;
  let highStep = 6;
  let lowStep = 18;
  for (let at = start; at < end; at++) {
    high = ~(high ^ buffer[at]);
    low = ~(low + buffer[at]);
    // x86 and arm64 shift by the step modulo 32, as JavaScript does.
    const turned = (low << highStep) | (low >>> (32 - highStep));
    low = (high << lowStep) | (high >>> (32 - lowStep));
    high = turned;
    const steps = ((high >>> 16) ^ low) & 0xffff;
    highStep = steps & 0x1f;
    lowStep = steps >>> 11;
  }
  return (high ^ low) >>> 0;
}

/** CRC-32 of IEEE 802.3 (reflected, polynomial 0xedb88320). */
export function crc32(buffer: Uint8Array, start: number, end: number): number {
  let hash = -1;
  for (let at = start; at < end; at++) hash = crcTable[(hash ^ buffer[at]) & 0xff] ^ (hash >>> 8);
  return ~hash >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

/**
 * Spreads a hash over all 32 bits (the `avalanche` modifier): one of Bob Jenkins' full-avalanche integer hashes
 * (burtleburtle.net/bob/hash/integer.html), times a prime near three quarters of the range.
 */
export function avalanche(hash: number): number {
  let a = hash | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = (a + 0xd3a2646c) ^ (a << 9);
  a = (a + 0xfd7046c5 + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  return Math.imul(a, 3_221_225_473) >>> 0;
}

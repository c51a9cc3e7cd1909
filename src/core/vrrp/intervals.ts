/**
 * The intervals of the protocol. Version 2 counts its skew in fractions of a second, version 3 in fractions of the active router's
 * interval: with the wrong formula sub-second groups elect nobody or everybody (RFC 3768 §6.1, RFC 9568 §6.1).
 */

/** Skew_Time in milliseconds. `priority` is the own running one, `activeIntervalMs` the active router's interval. */
export function skewMs(version: 2 | 3, priority: number, activeIntervalMs: number): number {
  return version === 2 ? ((256 - priority) * 1000) / 256 : ((256 - priority) * activeIntervalMs) / 256;
}

/** Active_Down_Interval (Master_Down_Interval) in milliseconds; `adverts` is Keepalived's down_timer_adverts, RFC: 3. */
export function activeDownMs(version: 2 | 3, priority: number, activeIntervalMs: number, adverts: number): number {
  return adverts * activeIntervalMs + skewMs(version, priority, activeIntervalMs);
}

/**
 * How long the kernel keeps a virtual address that is not renewed, in whole seconds as it counts them. An active router that was not run for
 * down_timer_adverts intervals lets go by itself, for it was replaced; this lasts longer by a second or more (the kernel may be a quarter
 * of a second early), so that an address of a router that still counts never goes.
 */
export function leaseSeconds(advertisementIntervalMs: number, adverts: number): number {
  return Math.ceil((adverts * advertisementIntervalMs) / 1000) + 1;
}

/** What a version 3 message can carry: 12 bits of centiseconds (RFC 9568 §5.2.7). */
export const version3IntervalMsMax = 40_950;
/** What a version 2 message can carry: 8 bits of seconds. */
export const version2IntervalMsMax = 255_000;

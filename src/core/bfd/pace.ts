/**
 * How fast the two ends of a session that nobody wrote speak. Both say that they could do so at the fastest pace; how often a router that is
 * followed really sends is what its follower asks for (RFC 5880 §6.8.7: the larger of the two counts).
 */
import { peerBfd as limits } from '../limits.ts';

/**
 * What a follower asks for. Where advertisements are frequent VRRP's own timers are short, and a session at the usual pace would notice later
 * than they do: two intervals of an advertisement are less than three and the skew.
 */
export function peerPaceMs(advertisementIntervalMs: number): number {
  return Math.min(limits.intervalMs, Math.max(limits.fastestMs, advertisementIntervalMs));
}

/**
 * A late process is not a dead one: where this node's timers come that late, it can't judge others faster than that. In steps, for each change
 * is agreed upon with the other end.
 */
export function ownPaceMs(lateMs: number): number {
  const step = limits.latenessForgivenMs;
  return lateMs <= step ? 0 : Math.min(limits.intervalMs, Math.ceil(lateMs / step) * step);
}

/**
 * What others must count missing packets up to (bfd.DetectMult) where they are that late, and leave once an interval. The usual multiplier
 * bears with a packet that is an interval late; half of that is forgiven where the pace is fast: a packet more would make the session slower
 * than VRRP's own timers, which go on running and bear with two intervals.
 */
export function patientMultiplier(lateMs: number, transmitIntervalMs: number): number {
  const mostMs = limits.silenceMsMax - limits.multiplier * limits.intervalMs;
  const isFast = transmitIntervalMs < limits.intervalMs;
  const forgivenMs = isFast ? Math.max(limits.latenessForgivenMs, transmitIntervalMs / 2) : limits.latenessForgivenMs;
  const bornMs = Math.min(mostMs, Math.max(0, lateMs - forgivenMs));
  return limits.multiplier + Math.ceil(bornMs / transmitIntervalMs);
}

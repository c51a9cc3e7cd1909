/** Time and chance, as the engine sees them. */

export interface Clock {
  /** Monotonic milliseconds with fraction, cached for the current turn of the event loop: cheap enough for the byte path. */
  now(): number;
  /** Wall clock in milliseconds since 1970: for what people read, never for intervals. */
  wall(): number;
  /** Makes an alarm, not yet set. One owner, one alarm: the engine keeps its own wheel of deadlines. */
  alarm(ring: () => void): Alarm;
}

export interface Alarm {
  /** Rings once, at or after `atMs` (monotonic). A new call replaces the old one. */
  set(atMs: number): void;
  clear(): void;
}

export interface Random {
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
}

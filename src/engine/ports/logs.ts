/** Who is told what happens: lines of the traffic log, and what the VRRP daemon tells its operator. */

export interface LogSink {
  /**
   * Hands over one finished line [start, end) for log target `target` (index in the plan's `logTargets`).
   * Never blocks and never fails: what can't be sent is dropped and counted.
   */
  send(target: number, buffer: Uint8Array, start: number, end: number): void;
}

/** What the VRRP daemon tells its operator: syslog, or the console. */
export interface Journal {
  log(severity: 'info' | 'notice' | 'warning' | 'err', message: string): void;
  /** Only told when asked for details (Keepalived's -D). */
  detail(message: string): void;
}

/** Who is told what happens: lines of the traffic log, and what the VRRP daemon tells its operator. */

/** The longest line: the longest that `len` allows, and its newline. */
export const lineBytesMax = 65_536;

/** Where the next line is written, so that it need not be copied: from `end` on there is room for `lineBytesMax` bytes. */
export interface LogPage {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** Targets are indexes into the plan's `logTargets`. */
export interface LogSink {
  /** The same object for as long as the sink lives; several targets may share one. */
  page(target: number): LogPage;
  /**
   * The line that begins at the page's end is finished, and ends here. Never blocks and never fails: what can't be sent is dropped
   * and counted.
   */
  commit(target: number, end: number): void;
}

/** What the VRRP daemon tells its operator: syslog, or the console. */
export interface Journal {
  log(severity: 'info' | 'notice' | 'warning' | 'err', message: string): void;
  /** Only told when asked for details (Keepalived's -D). */
  detail(message: string): void;
}

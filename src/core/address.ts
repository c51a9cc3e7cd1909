/**
 * Addresses as values. Parsing and printing are pure, so that config, plan, core and engine need no resolver and no `node:net`.
 * (Functions for parsing and formatting stand below the types.)
 */

export type IpFamily = 'ipv4' | 'ipv6';

/** Where a stream can go to or come from. */
export type SocketAddress = InetAddress | UnixAddress;

export interface InetAddress {
  readonly family: IpFamily;
  /** Canonical text: dotted quad, or RFC 5952. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

export interface UnixAddress {
  readonly family: 'unix';
  /** File path; starts with a NUL character for Linux's abstract names. */
  readonly path: string;
}

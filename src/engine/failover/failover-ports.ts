/** The world of the VRRP daemon's engine, and what it is told of its place in it. */
import type { Datagrams } from '../ports/datagrams.ts';
import type { Firewall } from '../ports/firewall.ts';
import type { Handoff } from '../ports/handoff.ts';
import type { Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import type { Mails } from '../ports/mails.ts';
import type { AddressClaims, Packets } from '../ports/packets.ts';
import type { Scripts } from '../ports/scripts.ts';
import type { Clock, Random } from '../ports/time.ts';

export interface FailoverPorts {
  readonly clock: Clock;
  readonly packets: Packets;
  readonly links: Links;
  readonly scripts: Scripts;
  readonly journal: Journal;
  /** Absent: smtp_alert sends nothing. */
  readonly mails?: Mails;
  /** Absent: `no_accept` blocks nothing. */
  readonly firewall?: Firewall;
  /** Absent: connections that are open when an address moves end. */
  readonly handoff?: Handoff;
  /** Absent: no BFD session is ever held. */
  readonly bfd?: { readonly datagrams: Datagrams; readonly random: Random };
  /** Absent: address conflicts are not watched for. */
  readonly claims?: AddressClaims;
}

export interface FailoverOptions {
  /** The balancer's readiness will be told with `serving`; until then no router takes part. */
  readonly awaitsBalancer: boolean;
  /** Milliseconds since this machine booted (vrrp_delay_after_boot). */
  readonly sinceBootMs: number;
  /** Routers that an operator took out of service in an earlier life. Absent: none. */
  readonly handedOver?: readonly string[];
}

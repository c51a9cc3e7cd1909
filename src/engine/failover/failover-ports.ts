/** The world of the VRRP daemon's engine, and what it is told of its place in it. */
import type {
  AddressClaims,
  Clock,
  Datagrams,
  Firewall,
  Handoff,
  Journal,
  Links,
  Mails,
  Packets,
  Random,
  Scripts,
} from '../ports.ts';

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

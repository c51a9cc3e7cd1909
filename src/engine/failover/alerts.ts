/** `smtp_alert`: a mail for each change of state, in Keepalived's words (what filters and people look for stays the same). */
import type { MailPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';
import type { Mails } from '../ports/mails.ts';
import type { Clock } from '../ports/time.ts';

export interface AlertPorts {
  readonly clock: Clock;
  readonly journal: Journal;
  /** Absent: nothing can be mailed here. */
  readonly mails?: Mails;
}

/** States that a mail tells of. */
export type AlertState = 'MASTER' | 'BACKUP' | 'FAULT';

export function sendAlert(
  plan: { readonly routerId: string; readonly mail: MailPlan | undefined },
  about: { readonly kind: 'INSTANCE' | 'GROUP'; readonly name: string },
  state: AlertState,
  { clock, journal, mails }: AlertPorts,
): void {
  const { mail } = plan;
  if (mail === undefined || mails === undefined || (state === 'FAULT' && !mail.onFault)) return;
  const what = about.kind === 'GROUP' ? 'VRRP Group' : 'VRRP Instance';
  const owning = state === 'MASTER' ? 'now' : 'no longer';
  const body =
    about.kind === 'GROUP'
      ? `=> All VRRP group instances are now in ${state} state <=`
      : `=> VRRP Instance is ${owning} owning VRRP VIPs <=`;
  const { helo, from, to, host, port, timeoutMs } = mail;
  const subject = `[${plan.routerId}] ${what} ${about.name} - Entering ${state} state`;
  mails.send(
    { host, port, timeoutMs },
    { helo, from, to, subject, body: `${body}\n`, wallMs: clock.wall() },
    (failure) => {
      if (failure === undefined) journal.detail('SMTP alert successfully sent.');
      else journal.log('err', `SMTP alert (${about.name}, ${state}) not sent to ${host}:${port}: ${failure}`);
    },
  );
}

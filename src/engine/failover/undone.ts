/**
 * What a plan asks for and this daemon does not do: said at the start, each by name, so that nobody relies on it. The rest of the
 * language is refused by the configuration's reader.
 */
import type { VrrpPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports.ts';

export function tellUndone(plan: VrrpPlan, journal: Journal): void {
  if (plan.global.mail !== undefined && [...plan.routers, ...plan.syncGroups].some(({ smtpAlert }) => smtpAlert))
    journal.log('warning', 'Not supported yet: smtp_alert: no mail is sent');
  // Strict mode asks for it without a word of its own.
  for (const { settings } of plan.routers)
    if (!settings.accept)
      journal.log(
        'warning',
        `Not supported yet: (${settings.name}) strict mode's no_accept: its addresses accept packets`,
      );
}

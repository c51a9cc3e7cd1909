/**
 * What the VRRP half is asked on its control socket, and what it answers. A question is one line: a word, and for some a router's name.
 *
 *   status                      everything that is known now (control-report.ts)
 *   handover [--force] [name]   resign and stay out: all routers, or this one and its sync group
 *   handover-progress [name]    what became of the last hand-over
 *   resume [name]               take part again
 *   settings                    the routers as configured, for `evergate trace`; passwords only to root
 */
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Journal } from '../ports/logs.ts';
import { ControlHandover, type HandoverProgress, type HandoverStore } from './control-handover.ts';
import { type ReportWorld, type VrrpReport, vrrpReport } from './control-report.ts';
import type { Failover } from './failover.ts';

export type ControlAnswer =
  | { readonly ok: true; readonly status: VrrpReport }
  | { readonly ok: true; readonly handover: readonly HandoverProgress[] }
  | { readonly ok: true; readonly resumed: readonly string[] }
  | { readonly ok: true; readonly settings: readonly VirtualRouterSettings[] }
  | {
      readonly ok: false;
      readonly error: 'unknown-question' | 'unknown-router' | 'permission';
      readonly message: string;
    };

export class VrrpControl {
  readonly #failover: Failover;
  readonly #world: ReportWorld;
  readonly #handover: ControlHandover;

  /** @param store absent: a hand-over ends with the process. */
  constructor(failover: Failover, world: ReportWorld, journal: Journal, store?: HandoverStore) {
    this.#failover = failover;
    this.#world = world;
    this.#handover = new ControlHandover(failover, world.clock, journal, store);
  }

  /** @param asker the user id of who asks; undefined when the system can't tell. */
  answer(line: string, asker: number | undefined): ControlAnswer {
    const [, question, force, name] = /^(\S*)(\s+--force(?=\s|$))?\s*(.*)$/.exec(line) ?? [];
    switch (question) {
      case 'status':
        return { ok: true, status: vrrpReport(this.#failover, this.#world, (router) => this.#handover.since(router)) };
      case 'settings':
        return { ok: true, settings: this.#settings(asker === 0) };
      case 'handover':
        return this.#named(name, (names) => {
          this.#handover.start(names, force !== undefined);
          return { ok: true, handover: this.#handover.progress(names) };
        });
      case 'handover-progress':
        return this.#named(name, (names) => ({ ok: true, handover: this.#handover.progress(names) }));
      case 'resume':
        return this.#named(name, (names) => ({ ok: true, resumed: this.#handover.resume(names) }));
      default:
        return {
          ok: false,
          error: 'unknown-question',
          message: `the questions are: status, settings, handover [--force] [name], handover-progress [name], resume [name]`,
        };
    }
  }

  close(): void {
    this.#handover.close();
  }

  /** The routers that are meant: a sync group stands or falls together, so one member means them all. */
  #named(name: string, act: (names: readonly string[]) => ControlAnswer): ControlAnswer {
    const { plan, drivers } = this.#failover;
    const all = drivers.map(({ settings }) => settings.name);
    if (name === '') return act(all);
    const group =
      plan.syncGroups.find((each) => each.name === name) ??
      plan.syncGroups.find(({ members }) => members.some((index) => plan.routers[index].settings.name === name));
    if (group !== undefined) return act(group.members.map((index) => plan.routers[index].settings.name));
    if (all.includes(name)) return act([name]);
    const message = `no virtual router is called "${name}"; there ${all.length === 1 ? 'is' : 'are'}: ${all.join(', ')}`;
    return { ok: false, error: 'unknown-router', message };
  }

  #settings(withPasswords: boolean): readonly VirtualRouterSettings[] {
    return this.#failover.drivers.map(({ settings }) => {
      const { authentication } = settings;
      if (withPasswords || authentication.kind === 'none') return settings;
      return { ...settings, authentication: { kind: authentication.kind, password: '' } };
    });
  }
}

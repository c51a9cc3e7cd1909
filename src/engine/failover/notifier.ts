/**
 * Tells scripts and pipes what became of an instance or group, with Keepalived's arguments (keepalived.conf(5), "notify scripts"):
 * `notify_master` and its kin run as configured; `notify` gets four more: INSTANCE or GROUP, the name, the state, the priority.
 */
import type { RouterStateKind } from '../../core/vrrp/events.ts';
import type {
  CommandPlan,
  NotifyFifoPlan,
  NotifyPlan,
  SyncGroupPlan,
  VirtualRouterPlan,
  VrrpPlan,
} from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';
import type { Fifo, Scripts } from '../ports/scripts.ts';
import { type AlertPorts, sendAlert } from './alerts.ts';

export type NotifiedState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED';

/** What is told of: one virtual router, or a sync group. */
export interface Notified {
  readonly kind: 'INSTANCE' | 'GROUP';
  readonly name: string;
  readonly notify: NotifyPlan;
  readonly priorityChanges: boolean;
  readonly smtpAlert: boolean;
}

export class Notifier {
  readonly #plan: VrrpPlan;
  readonly #ports: AlertPorts;
  readonly #scripts: Scripts;
  readonly #journal: Journal;
  readonly #usable: (command: CommandPlan) => boolean;
  /** What was said last of each group: members follow one another, and each may be seen as the last. */
  readonly #groupStates = new Map<string, NotifiedState>();
  #fifos: Fifo[] = [];
  #waiting = 0;
  #idle: (() => void) | undefined;

  /** @param usable whether a command may be run (script security). */
  constructor(
    plan: VrrpPlan,
    ports: AlertPorts & { readonly scripts: Scripts },
    usable: (command: CommandPlan) => boolean,
  ) {
    this.#plan = plan;
    this.#ports = ports;
    this.#scripts = ports.scripts;
    this.#journal = ports.journal;
    this.#usable = usable;
    for (const fifo of [plan.global.notifyFifo, plan.global.vrrpNotifyFifo]) if (fifo !== undefined) this.#open(fifo);
  }

  state(about: Notified, state: NotifiedState, priority: number): void {
    if (about.kind === 'GROUP') {
      if (this.#groupStates.get(about.name) === state) return;
      this.#groupStates.set(about.name, state);
    }
    const { notify } = about;
    const specific = {
      MASTER: notify.master,
      BACKUP: notify.backup,
      FAULT: notify.fault,
      STOP: notify.stop,
      DELETED: notify.deleted,
    }[state];
    if (specific !== undefined) this.#run(specific, []);
    if (notify.any !== undefined) this.#run(notify.any, [about.kind, about.name, state, String(priority)]);
    this.#tell(`${about.kind} "${about.name}" ${state} ${priority}\n`);
    if (about.smtpAlert && (state === 'MASTER' || state === 'BACKUP' || state === 'FAULT'))
      sendAlert(this.#plan.global, about, state, this.#ports);
  }

  /** `fifo_write_vrrp_states_on_reload`: only on the pipes. */
  repeat(about: Notified, state: NotifiedState, priority: number): void {
    this.#tell(`${about.kind} "${about.name}" ${state} ${priority}\n`);
  }

  /** `notify_priority_changes`: only on the pipes. */
  priority(about: Notified, state: 'MASTER' | 'BACKUP', priority: number): void {
    if (about.priorityChanges) this.#tell(`${about.kind} "${about.name}" ${state}_PRIORITY ${priority}\n`);
  }

  lowerPriorityHeard(about: Notified, priority: number): void {
    if (about.notify.masterRxLowerPri === undefined) return;
    this.#run(about.notify.masterRxLowerPri, []);
    this.#tell(`${about.kind} "${about.name}" MASTER_RX_LOWER_PRI ${priority}\n`);
  }

  /** Calls `done` when every script that was started has ended. */
  whenIdle(done: () => void): void {
    if (this.#waiting === 0) done();
    else this.#idle = done;
  }

  close(): void {
    for (const fifo of this.#fifos) fifo.close();
    this.#fifos = [];
  }

  #open(plan: NotifyFifoPlan): void {
    const opened = this.#scripts.openFifo(plan.path, plan.user, plan.group);
    if ('failure' in opened) {
      this.#journal.log('err', `Unable to open FIFO ${plan.path}: ${opened.failure}`);
      return;
    }
    this.#fifos.push(opened);
    // The reader: gets the pipe's path as its last argument and is not waited for.
    if (plan.script !== undefined && this.#usable(plan.script))
      this.#scripts.run({ ...plan.script, argv: [...plan.script.argv, plan.path] }, () => {});
  }

  #tell(line: string): void {
    for (const fifo of this.#fifos) fifo.write(line);
  }

  #run(command: CommandPlan, more: readonly string[]): void {
    if (!this.#usable(command)) return;
    this.#waiting++;
    this.#scripts.run({ ...command, argv: [...command.argv, ...more] }, (result) => {
      if (result.kind === 'unstartable')
        this.#journal.log('err', `Unable to run notify script ${command.argv[0]}: ${result.reason}`);
      this.#waiting--;
      if (this.#waiting === 0 && this.#idle !== undefined) {
        const idle = this.#idle;
        this.#idle = undefined;
        idle();
      }
    });
  }
}

/** States that scripts are told of; `initialize` is none of them. */
export function notifiedState(state: RouterStateKind): NotifiedState | undefined {
  switch (state) {
    case 'active':
      return 'MASTER';
    case 'backup':
      return 'BACKUP';
    case 'fault':
      return 'FAULT';
    default:
      return undefined;
  }
}

export function notifiedRouter(plan: VirtualRouterPlan): Notified {
  return {
    kind: 'INSTANCE',
    name: plan.settings.name,
    notify: plan.notify,
    priorityChanges: plan.notifyPriorityChanges,
    smtpAlert: plan.smtpAlert,
  };
}

export function notifiedGroup(plan: SyncGroupPlan): Notified {
  const { name, notify, notifyPriorityChanges: priorityChanges, smtpAlert } = plan;
  return { kind: 'GROUP', name, notify, priorityChanges, smtpAlert };
}

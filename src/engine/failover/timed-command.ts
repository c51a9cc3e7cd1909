/** startup_script and shutdown_script: a command that is waited for, but not for ever. */
import type { TimedCommandPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';
import type { Scripts } from '../ports/scripts.ts';
import type { Clock } from '../ports/time.ts';

/** `done` is called once, when the command has ended or was ended at its timeout. */
export function runTimed(
  plan: TimedCommandPlan,
  ports: { readonly clock: Clock; readonly journal: Journal; readonly scripts: Scripts },
  done: () => void,
): void {
  const name = plan.command.argv[0];
  const running = ports.scripts.run(plan.command, (result) => {
    alarm.clear();
    if (result.kind === 'unstartable') ports.journal.log('err', `Unable to run ${name}: ${result.reason}`);
    else if (result.kind === 'killed' || result.status !== 0) ports.journal.log('warning', `${name} failed`);
    done();
  });
  const alarm = ports.clock.alarm(() => {
    ports.journal.log('warning', `${name} timed out`);
    running.signal('SIGKILL');
  });
  alarm.set(ports.clock.now() + plan.timeoutMs);
}

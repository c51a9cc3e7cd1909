/** Which configured commands may be run: said once at the start, in Keepalived's words (script_security). */
import type { CommandPlan, VrrpPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';
import type { Scripts } from '../ports/scripts.ts';

export interface CommandSafety {
  /** Tracked scripts (indexes) that are left out. */
  readonly unusableScripts: ReadonlySet<number>;
  usable(command: CommandPlan): boolean;
}

export function judgeCommands(
  plan: VrrpPlan,
  ports: { readonly scripts: Scripts; readonly journal: Journal },
): CommandSafety {
  const { scripts, journal } = ports;
  const unusableScripts = new Set<number>();
  const unusable = new Set<CommandPlan>();
  let insecureRuns = false;

  const judge = (command: CommandPlan, name: string): boolean => {
    const { path, searched, problem, insecure } = scripts.inspect(command);
    if (searched && path !== undefined)
      journal.log(
        'warning',
        `WARNING - script \`${command.argv[0]}\` resolved by path search to \`${path}\`. Please specify full path.`,
      );
    if (problem !== undefined) {
      journal.log('err', `Disabling ${name} since ${command.argv[0]}: ${problem}`);
      return false;
    }
    if (insecure === undefined) return true;
    if (plan.global.scriptSecurity) {
      journal.log('err', `Disabling ${name} due to insecure: ${insecure}`);
      return false;
    }
    insecureRuns = true;
    return true;
  };

  for (const [index, script] of plan.scripts.entries())
    if (!judge(script.command, `track script ${script.name}`)) unusableScripts.add(index);
  for (const [name, command] of notifyCommands(plan)) if (!judge(command, name)) unusable.add(command);
  if (insecureRuns)
    journal.log('warning', 'SECURITY VIOLATION - scripts are being executed but script_security not enabled.');
  return { unusableScripts, usable: (command) => !unusable.has(command) };
}

function* notifyCommands(plan: VrrpPlan): Generator<[string, CommandPlan]> {
  for (const router of plan.routers)
    for (const command of Object.values(router.notify) as (CommandPlan | undefined)[])
      if (command !== undefined) yield [`notify script of (${router.settings.name})`, command];
  for (const group of plan.syncGroups)
    for (const command of Object.values(group.notify) as (CommandPlan | undefined)[])
      if (command !== undefined) yield [`notify script of group (${group.name})`, command];
  for (const fifo of [plan.global.notifyFifo, plan.global.vrrpNotifyFifo])
    if (fifo?.script !== undefined) yield ['FIFO notify script', fifo.script];
  for (const timed of [plan.global.startupScript, plan.global.shutdownScript])
    if (timed !== undefined) yield ['startup or shutdown script', timed.command];
}

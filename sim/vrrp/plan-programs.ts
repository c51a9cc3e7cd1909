/** The programs of a PlanHost: a balancer that can die or hang, and scripts that ask for it. */
import type { Command, CommandResult, ProcessMatch, Scripts } from '../../src/engine/ports/scripts.ts';
import type { VrrpPlan } from '../../src/plan/vrrp.ts';
import type { VirtualTime } from '../clock.ts';

export type BalancerState = 'serves' | 'frozen' | 'dead';

/** How a script ends: as what it asks about is, or else. `exists`: it asks for the balancer's process, whatever its words are. */
export type ScriptWish = 'asks' | 'exists' | 'fails' | 'hangs';

export class PlanPrograms {
  balancer: BalancerState = 'serves';
  /** By the scripts' names; absent: `asks`. */
  readonly wishes = new Map<string, ScriptWish>();
  readonly #plan: VrrpPlan;
  readonly #time: VirtualTime;
  /** Makes of something for the daemon what tells it, now or when it runs again; a later life of the daemon is not told. */
  readonly #forThisLife: (happen: () => void) => () => void;
  #watchers: (() => void)[] = [];

  constructor(plan: VrrpPlan, time: VirtualTime, forThisLife: (happen: () => void) => () => void) {
    this.#plan = plan;
    this.#time = time;
    this.#forThisLife = forThisLife;
  }

  setBalancer(state: BalancerState): void {
    this.balancer = state;
    for (const changed of this.#watchers) this.#forThisLife(changed)();
  }

  /** The daemon is gone. */
  forget(): void {
    this.#watchers = [];
  }

  port(): Scripts {
    return {
      run: (command, ended) => this.#run(command, ended),
      inspect: ({ argv }) => ({ path: argv[0], searched: false, problem: undefined, insecure: undefined }),
      writeFile: () => undefined,
      watchFile: (_path, changed) => {
        changed(0);
        return { close: () => {} };
      },
      openFifo: () => ({ failure: 'no pipes in the simulation' }),
      watchProcesses: (match, changed) => this.#watchProcesses(match, changed),
    };
  }

  /** Scripts whose words name the balancer ask for its process; all others ask it for an answer. */
  #run(command: Command, ended: (result: CommandResult) => void) {
    const script = this.#plan.scripts.find((each) => each.command === command);
    const wish = this.wishes.get(script?.name ?? '') ?? 'asks';
    const asksProcess =
      wish === 'exists' || /\b(killall|pkill|pidof|pgrep|systemctl|service)\b/.test(command.argv.join(' '));
    const other = asksProcess && wish !== 'exists' && !/haproxy|evergate|nginx/.test(command.argv.join(' '));
    const well = other || (asksProcess ? this.balancer !== 'dead' : this.balancer === 'serves');
    let result: CommandResult | undefined;
    const tell = this.#forThisLife(() => ended(result!));
    const end = (how: CommandResult) => {
      if (result !== undefined) return;
      result = how;
      tell();
    };
    if (wish !== 'hangs') this.#time.after(0, () => end({ kind: 'exited', status: wish !== 'fails' && well ? 0 : 1 }));
    return { signal: (signal: 'SIGTERM' | 'SIGKILL') => this.#time.after(0, () => end({ kind: 'killed', signal })) };
  }

  #watchProcesses({ process }: ProcessMatch, changed: (count: number) => void) {
    const tell = () => changed(/haproxy|evergate|nginx/.test(process) && this.balancer === 'dead' ? 0 : 1);
    this.#watchers.push(tell);
    // Results come from the event loop, never from inside the call.
    this.#time.after(0, this.#forThisLife(tell));
    return {
      close: () => {
        this.#watchers = this.#watchers.filter((each) => each !== tell);
      },
    };
  }
}

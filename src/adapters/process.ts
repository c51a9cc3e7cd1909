/** The Scripts port: commands with their results, files and processes that are watched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type {
  Command,
  CommandInspection,
  CommandResult,
  Fifo,
  ProcessMatch,
  RunningCommand,
  Scripts,
} from '../engine/ports/scripts.ts';
import { FileWatch } from './file-watch.ts';
import { openFifo } from './process-fifo.ts';
import { findProcess, livenessQuestion, type Matcher } from './process-match.ts';
import { givesSupplementaryGroups, inspectCommand, lookUpIdentity, withSupplementaryGroups } from './process-user.ts';
import { ProcessWatch } from './process-watch.ts';

export class SystemScripts implements Scripts {
  readonly #processWatch = new ProcessWatch();
  readonly #questions = new Map<string, LivenessCheck>();

  run(command: Command, ended: (result: CommandResult) => void): RunningCommand {
    const question = this.#question(command.argv);
    if (question !== undefined) {
      const status = question.ask() ? 0 : 1;
      setImmediate(() => ended({ kind: 'exited', status }));
      return { signal: () => {} };
    }
    const identity = lookUpIdentity(command.user, command.group);
    if (identity === undefined) {
      setImmediate(() => ended({ kind: 'unstartable', reason: `user ${command.user} does not exist` }));
      return { signal: () => {} };
    }
    // Who is not root can become nobody else: the service's own user runs its scripts then (Keepalived always runs as root).
    const stays = process.getuid?.() !== 0 || identity.uid === 0;
    if (givesSupplementaryGroups(command))
      return start(withSupplementaryGroups(command.argv, identity), undefined, ended);
    return start(command.argv, stays ? undefined : identity, ended);
  }

  inspect(command: Command): CommandInspection {
    if (this.#question(command.argv) !== undefined)
      return { path: command.argv[0], searched: false, problem: undefined, insecure: undefined };
    return inspectCommand(command);
  }

  watchFile(path: string, changed: (value: number) => void): { close(): void } {
    return new FileWatch(path, changed);
  }

  writeFile(path: string, value: number, overwrite: boolean): string | undefined {
    try {
      writeFileSync(path, `${value}\n`, { flag: overwrite ? 'w' : 'wx' });
      return undefined;
    } catch (error) {
      const reason = reasonOf(error);
      return reason === 'EEXIST' ? undefined : reason;
    }
  }

  openFifo(path: string, user: string | undefined, group: string | undefined): Fifo | { readonly failure: string } {
    return openFifo(path, user === undefined ? undefined : lookUpIdentity(user, group));
  }

  watchProcesses(match: ProcessMatch, changed: (count: number) => void): { close(): void } {
    return this.#processWatch.add(match, changed);
  }

  close(): void {
    this.#processWatch.close();
  }

  #question(argv: readonly string[]): LivenessCheck | undefined {
    const key = argv.join('\0');
    const known = this.#questions.get(key);
    if (known !== undefined) return known;
    const matcher = livenessQuestion(argv);
    if (matcher === undefined) return undefined;
    const check = new LivenessCheck(matcher);
    this.#questions.set(key, check);
    return check;
  }
}

/** Asks the process that was found last time first: one file read instead of hundreds. */
class LivenessCheck {
  readonly #matches: Matcher;
  #known: number | undefined;

  constructor(matches: Matcher) {
    this.#matches = matches;
  }

  ask(): boolean {
    if (this.#known === undefined || !this.#matches(this.#known)) this.#known = findProcess(this.#matches);
    return this.#known !== undefined;
  }
}

function start(
  argv: readonly string[],
  identity: { uid: number; gid: number } | undefined,
  ended: (result: CommandResult) => void,
): RunningCommand {
  let child: ChildProcess;
  let over = false;
  const end = (result: CommandResult) => {
    if (over) return;
    over = true;
    ended(result);
  };
  try {
    // A process group of its own, so that a timeout ends what the script started too.
    child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore', detached: true, cwd: '/', ...identity });
  } catch (error) {
    setImmediate(() => end({ kind: 'unstartable', reason: reasonOf(error) }));
    return { signal: () => {} };
  }
  child.on('error', (error) => end({ kind: 'unstartable', reason: reasonOf(error) }));
  child.on('exit', (status, signal) =>
    end(signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'killed', signal }),
  );
  return {
    signal(name) {
      if (over || child.pid === undefined) return;
      try {
        process.kill(-child.pid, name);
      } catch {
        // Gone in this moment; its end is under way.
      }
    },
  };
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** Programs that the daemon starts, and processes and files that it watches. */
import type { SystemFailure } from './system-failure.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly user: string;
  readonly group: string | undefined;
  /** With the user's supplementary groups. Absent: with none. */
  readonly supplementaryGroups?: boolean;
}

/** How a command ended. `unstartable`: no such file, no right, no such user. */
export type CommandResult =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'unstartable'; readonly reason: string };

export interface CommandInspection {
  /** Where the program is; undefined when it was not found. */
  readonly path: string | undefined;
  /** It was found by searching PATH. */
  readonly searched: boolean;
  /** Why it can't be started by its user, or undefined. */
  readonly problem: string | undefined;
  /** Who but root could have changed a command that runs as root; undefined when nobody, or when it doesn't run as root. */
  readonly insecure: string | undefined;
}

export interface RunningCommand {
  /** Sends the signal to the command's whole process group. After the end it does nothing. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

export interface Scripts {
  /** Starts a command without a shell, in a process group of its own, input and output closed; `ended` is called exactly once. */
  run(command: Command, ended: (result: CommandResult) => void): RunningCommand;
  /** Looks at the command's program without starting it. */
  inspect(command: Command): CommandInspection;
  /** Writes a tracked file's first value (`init_file`); with `overwrite` also over one that exists. */
  writeFile(path: string, value: number, overwrite: boolean): SystemFailure;
  /**
   * Watches a file's first word as a number (`track_file`); `changed` is called with the first value and at every change.
   * A file that is missing or holds no number counts 0.
   */
  watchFile(path: string, changed: (value: number) => void): { close(): void };
  /** Makes (or takes over) a named pipe, owned by that user. */
  openFifo(path: string, user: string | undefined, group: string | undefined): Fifo | { readonly failure: string };
  /** Watches how many processes match (`track_process`): event-driven where the kernel allows it, else by looking. */
  watchProcesses(match: ProcessMatch, changed: (count: number) => void): { close(): void };
}

/** A named pipe that a monitoring program reads. */
export interface Fifo {
  /** Writes one line; drops it when nobody reads or the pipe is full. */
  write(line: string): void;
  /** Closes and removes the pipe where we made it. */
  close(): void;
}

export interface ProcessMatch {
  readonly process: string;
  readonly parameters: string | undefined;
  readonly paramMatch: 'initial' | 'partial' | 'exact';
  readonly fullCommand: boolean;
}

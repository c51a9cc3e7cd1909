/**
 * Which processes live here, read from /proc: for `track_process`, and for the checks that only ask whether a program runs.
 *
 * A check like `killall -0 haproxy` is answered here, without starting anything: it works where psmisc isn't installed, costs a
 * hundredth of a process start, and means what its author meant. Two differences to the real killall(1) are on purpose: a zombie doesn't
 * count as alive, and Evergate's own balancer answers to the name haproxy.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessMatch } from '../engine/ports/scripts.ts';

/** What the kernel keeps of a program's name (TASK_COMM_LEN less its NUL). */
const nameBytesMax = 15;

/** The balancer half's process title, cut as the kernel cuts it. */
const balancerName = 'evergate-balanc';

export type Matcher = (pid: number) => boolean;

/**
 * Recognizes `killall -0 NAME`, `pidof NAME`, `pgrep [-x] NAME` and `pkill -0 [-x] NAME`, with or without a path in front and quiet flags,
 * alone or as all that a shell is asked for (`sh -c 'killall -0 NAME'`).
 * @returns whether a process is the one that is asked for, or undefined when the command is none of these.
 */
export function livenessQuestion(argv: readonly string[]): Matcher | undefined {
  const program = (argv[0] ?? '').replace(/^.*\//, '');
  if (/^(ba|da)?sh$/.test(program) && argv.length === 3 && argv[1] === '-c' && /^[\w ./@:-]+$/.test(argv[2]!))
    return livenessQuestion(argv[2]!.trim().split(/ +/));
  const flags = argv.slice(1).filter((word) => word.startsWith('-'));
  const names = argv.slice(1).filter((word) => !word.startsWith('-'));
  if (names.length !== 1 || !/^[\w.+@:-]+$/.test(names[0])) return undefined;
  const name = names[0];
  const only = (...known: readonly string[]) => flags.every((flag) => known.includes(flag));
  switch (program) {
    case 'killall':
      return flags.includes('-0') && only('-0', '-q', '--quiet') ? named(name) : undefined;
    case 'pidof':
      return only('-s', '-q') ? named(name) : undefined;
    case 'pgrep':
      return only('-x', '--exact', '-c', '--count') ? matching(flags, name) : undefined;
    case 'pkill':
      return flags.includes('-0') && only('-0', '-x', '--exact') ? matching(flags, name) : undefined;
    default:
      return undefined;
  }
}

function named(name: string): Matcher {
  const wanted = name.slice(0, nameBytesMax);
  return (pid) => {
    const found = aliveName(pid);
    return found === wanted || (wanted === 'haproxy' && found === balancerName);
  };
}

function matching(flags: readonly string[], name: string): Matcher {
  return flags.some((flag) => flag === '-x' || flag === '--exact') ? named(name) : containing(name);
}

/** pgrep(1) and pkill(1) without -x look for the pattern anywhere in the name. */
function containing(part: string): Matcher {
  return (pid) => {
    const found = aliveName(pid);
    return found !== undefined && (found.includes(part) || (part === 'haproxy' && found === balancerName));
  };
}

/** `track_process`: the program's name, or with `fullCommand` its whole command line, and its parameters. */
export function processMatcher(match: ProcessMatch): Matcher {
  const wanted = match.process.slice(0, nameBytesMax);
  return (pid) => {
    const name = aliveName(pid);
    if (name === undefined) return false;
    if (!match.fullCommand && match.parameters === undefined)
      return name === wanted || (wanted === 'haproxy' && name === balancerName);
    const words = commandLine(pid);
    const program = words[0] ?? '';
    if (program !== match.process && program.replace(/^.*\//, '') !== match.process) return false;
    if (match.parameters === undefined) return true;
    const parameters = words.slice(1).join(' ');
    if (match.paramMatch === 'exact') return parameters === match.parameters;
    return match.paramMatch === 'initial'
      ? parameters.startsWith(match.parameters)
      : parameters.includes(match.parameters);
  };
}

/** Every process that matches, ours excluded. */
export function findProcesses(matches: Matcher): number[] {
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    const first = entry.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const pid = Number(entry);
    if (pid !== process.pid && matches(pid)) found.push(pid);
  }
  return found;
}

/** The first process that matches: enough for "does it live". */
export function findProcess(matches: Matcher): number | undefined {
  for (const entry of readdirSync('/proc')) {
    const first = entry.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const pid = Number(entry);
    if (pid !== process.pid && matches(pid)) return pid;
  }
  return undefined;
}

/** Name of a process that is neither gone nor a zombie. /proc/PID/stat reads `pid (name) state …`; the name may hold brackets. */
function aliveName(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const end = stat.lastIndexOf(')');
    const state = stat[end + 2];
    return state === 'Z' || state === 'X' ? undefined : stat.slice(stat.indexOf('(') + 1, end);
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
  } catch {
    return [];
  }
}

/**
 * The command lines of the originals in our own words, so that Evergate can stand in for either program.
 * HAProxy's options are older than the custom that one dash means one letter (`-sf 12 13`, `-Ws`): they become long ones here.
 */
import { constants } from 'node:os';
import { dumpSignal } from './vrrp-files.ts';

/** HAProxy's words that a command-line library can't read, with ours (haproxy(1)). */
const longForms: Readonly<Record<string, readonly string[]>> = {
  '-db': ['--foreground'],
  '-Ws': ['--master-worker', '--systemd'],
  '-dM': [],
  '-dr': [],
  '-dS': [],
  '-dG': [],
  '-dV': [],
};

/** `-sf`/`-st` take all the process ids that follow. */
const pidLists: Readonly<Record<string, string>> = { '-sf': '--finish', '-st': '--terminate' };

/** HAProxy's options with a value that have nothing to act on here, and why. Debian's unit passes -S. */
const withoutEffect: Readonly<Record<string, string>> = {
  '-S': 'there is no master to talk to; signals reload and stop',
  '-x': 'listening sockets come from the processes that -sf names',
  '-L': 'there are no peers yet',
};

/** Rewrites HAProxy's two-letter options to ours; everything else passes unchanged. */
export function separateHaproxyWords(words: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const list = pidLists[word];
    if (list !== undefined) {
      while (/^\d+$/.test(words[i + 1] ?? '')) result.push(list, words[++i] ?? '');
    } else if (withoutEffect[word] !== undefined) {
      i++;
      notice(`${word} has no effect: ${withoutEffect[word]}`);
    } else result.push(...(longForms[word] ?? [word]));
  }
  return result;
}

function notice(text: string): void {
  process.stderr.write(`[NOTICE]   (${process.pid}) : ${text}\n`);
}

/** `haproxy …`: the balancer. `--` before file names is HAProxy's way to name several; folders are understood too. */
export function forHaproxy(words: readonly string[]): string[] {
  if (words.includes('-v')) return ['--version'];
  const files: string[] = [];
  const separator = words.indexOf('--');
  if (separator >= 0) for (const file of words.slice(separator + 1)) files.push('-f', file);
  const options = separator >= 0 ? words.slice(0, separator) : words;
  return ['balance', ...separateHaproxyWords(options), ...files];
}

/** `keepalived …`: the VRRP daemon, which goes to the background unless told otherwise (keepalived(8)). */
export function forKeepalived(words: readonly string[]): string[] {
  const stays = words.some((word) => /^(-[a-zA-Z]*[nt][a-zA-Z]*|--dont-fork|--config-test.*)$/.test(word));
  const rest = words.flatMap((word) => {
    const tested = /^(?:-t|--config-test=)(.+)$/.exec(word);
    if (tested === null) return [word];
    notice(`-t ${tested[1]}: what is wrong is told here, not in that file`);
    return ['--config-test'];
  });
  return ['vrrp', '--as-keepalived', ...(stays ? [] : ['--daemon']), ...rest];
}

/** keepalived(8) --signum. It knows STATS_CLEAR too, which nothing here answers to. */
const signalNumbers: ReadonlyMap<string, number> = new Map([
  ['STOP', constants.signals.SIGTERM],
  ['RELOAD', constants.signals.SIGHUP],
  ['DATA', dumpSignal.state],
  ['STATS', dumpSignal.stats],
  ['JSON', dumpSignal.json],
]);

export interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly status: 0 | 1;
}

/**
 * What monitoring asks the program `keepalived` about itself: the numbers of its signals, and its version, on standard error and in the form that
 * Keepalived 2.2.7 has. keepalived-exporter reads the second word of the first line, and looks for `--enable-json`.
 * @returns undefined: it is told to run.
 */
export function answerAsKeepalived(words: readonly string[], version: () => string): Answer | undefined {
  for (const [index, word] of words.entries()) {
    if (word === '-v' || word === '--version')
      return {
        stderr: `Keepalived v2.2.7 (its language, signals and dumps, in ${version()})

configure options: --enable-json --enable-bfd

Config options:  VRRP VRRP_AUTH VRRP_VMAC JSON BFD
`,
        status: 0,
      };
    const name = word === '--signum' ? words[index + 1] : /^--signum=(.*)$/.exec(word)?.[1];
    if (name === undefined) continue;
    const number = signalNumbers.get(name);
    return number === undefined
      ? { stderr: `Unknown sigfunc ${name} (known: ${[...signalNumbers.keys()].join(', ')})\n`, status: 1 }
      : { stdout: `${number}\n`, status: 0 };
  }
  return undefined;
}

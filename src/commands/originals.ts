/**
 * The command lines of the originals in our own words, so that Evergate can stand in for either program.
 * HAProxy's options are older than the custom that one dash means one letter (`-sf 12 13`, `-Ws`): they become long ones here.
 */

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
  if (words.includes('-v') || words.includes('--version')) return ['--version'];
  const stays = words.some((word) => /^(-[a-zA-Z]*[nt][a-zA-Z]*|--dont-fork|--config-test.*)$/.test(word));
  const rest = words.flatMap((word) => {
    const tested = /^(?:-t|--config-test=)(.+)$/.exec(word);
    if (tested === null) return [word];
    notice(`-t ${tested[1]}: what is wrong is told here, not in that file`);
    return ['--config-test'];
  });
  return ['vrrp', ...(stays ? [] : ['--daemon']), ...rest];
}

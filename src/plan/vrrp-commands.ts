/** Commands: split as Keepalived splits them, with the user and group that run them. */

import type { Place } from '../config/diagnostic.ts';
import { type Entry, has, lastOf } from '../config/keepalived/config.ts';
import type { Word } from '../config/keepalived/placed-text.ts';
import type { CommandPlan, NotifyFifoPlan, NotifyPlan, TimedCommandPlan } from './vrrp.ts';
import type { PlanContext } from './vrrp-context.ts';

/**
 * `notify_master "/path argument 'one argument'" [user [group]]`: the first word is the command line, split at blanks with single
 * quotes kept together (keepalived.conf(5), "Quoted strings").
 */
export function commandOf(entry: Entry | undefined, context: PlanContext): CommandPlan | undefined {
  const [line, user, group] = entry?.arguments ?? [];
  if (entry === undefined || line === undefined) return undefined;
  const argv = splitCommand(line.text);
  if (argv === undefined || argv.length === 0) {
    context.alert('bad-value', line.place, `'${line.text}' is not a command: it is empty or a quote is not closed`);
    return undefined;
  }
  return runAs(argv, user, group, entry.place, context);
}

/** `script` of vrrp_script: one (quoted) word; the user has a line of its own. Keepalived 2.2.7 drops further words without a message. */
export function scriptOf(script: Entry, user: Entry | undefined, context: PlanContext): CommandPlan | undefined {
  const [line, extra] = script.arguments;
  if (extra !== undefined)
    context.warn(
      'extra-argument',
      extra.place,
      `'${extra.text}' is not part of the command: only the first word after 'script' is`,
      'write the whole command in double quotes',
    );
  const argv = splitCommand(line!.text);
  if (argv === undefined || argv.length === 0) {
    context.alert('bad-value', line!.place, `'${line!.text}' is not a command: it is empty or a quote is not closed`);
    return undefined;
  }
  return runAs(argv, user?.arguments[0], user?.arguments[1], script.place, context);
}

function runAs(
  argv: readonly string[],
  user: Word | undefined,
  group: Word | undefined,
  place: Place,
  context: PlanContext,
): CommandPlan {
  const account = user === undefined ? defaultUser(context) : accountOf(user, group, context);
  const command = { argv, ...account };
  if (user !== undefined && context.world.userExists?.(account.user, account.group) === false)
    context.alert('unresolvable', user.place, `there is no ${described(account)} to run ${argv[0]}`);
  if (command.user === 'root') context.noteRootScript(place);
  return command;
}

/** Nothing is run as somebody else instead: those scripts are left out when the daemon starts, as in Keepalived. */
export function checkScriptUser(context: PlanContext): void {
  const [user, group] = lastOf(context.global, 'script_user')?.arguments ?? [];
  if (user === undefined) return;
  const account = accountOf(user, group, context);
  if (context.world.userExists?.(account.user, account.group) !== false) return;
  const message = `there is no ${described(account)}: scripts without a user of their own are not run`;
  context.warn('unresolvable', user.place, message, 'write a user that exists, or make that one: useradd --system');
}

type Account = Omit<CommandPlan, 'argv'>;

function described({ user, group }: Account): string {
  return group === undefined ? `user '${user}'` : `user '${user}' with a group '${group}'`;
}

/** `USER [[:]GROUP]`: a colon asks for the user's supplementary groups too; alone it leaves the group the user's own. */
function accountOf(user: Word, group: Word | undefined, context: PlanContext): Account {
  const text = group?.text ?? '';
  const supplementary = text.startsWith(':') || has(context.global, 'set_supplementary_groups');
  const name = text.replace(/^:/, '');
  return {
    user: user.text,
    group: name === '' ? undefined : name,
    ...(supplementary ? { supplementaryGroups: true } : {}),
  };
}

/** script_user; else keepalived_script where that user exists; else root (keepalived.conf(5), "SCRIPTS"). */
function defaultUser(context: PlanContext): Account {
  const [user, group] = lastOf(context.global, 'script_user')?.arguments ?? [];
  if (user !== undefined) return accountOf(user, group, context);
  const exists = context.world.userExists?.('keepalived_script') ?? false;
  const supplementary = has(context.global, 'set_supplementary_groups');
  return {
    user: exists ? 'keepalived_script' : 'root',
    group: undefined,
    ...(supplementary ? { supplementaryGroups: true } : {}),
  };
}

/** Undefined when a quote is not closed. */
export function splitCommand(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (character === '\\' && index + 1 < text.length) word = (word ?? '') + text[++index]!;
    else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

export function notifyOf(entries: readonly Entry[], context: PlanContext): NotifyPlan {
  return {
    master: first(entries, 'notify_master', context),
    backup: first(entries, 'notify_backup', context),
    fault: first(entries, 'notify_fault', context),
    stop: first(entries, 'notify_stop', context),
    deleted: first(entries, 'notify_deleted', context),
    any: first(entries, 'notify', context),
    masterRxLowerPri: first(entries, 'notify_master_rx_lower_pri', context),
  };
}

/** Of several scripts for one event the first counts: Keepalived ignores the others with a message. */
function first(entries: readonly Entry[], word: string, context: PlanContext): CommandPlan | undefined {
  const [counts, ...others] = entries.filter((entry) => entry.keyword.word === word);
  for (const other of others)
    context.warn('duplicate', other.place, `'${word}' stands here for the second time: the first one holds`);
  return commandOf(counts, context);
}

export function fifoOf(word: string, context: PlanContext): NotifyFifoPlan | undefined {
  const script = lastOf(context.global, `${word}_script`);
  const fifo = lastOf(context.global, word);
  const [path, user, group] = fifo?.arguments ?? [];
  if (path === undefined) {
    if (script !== undefined)
      context.warn('missing-reference', script.place, `'${word}_script' without '${word}' is never run`);
    return undefined;
  }
  return { path: path.text, user: user?.text, group: group?.text, script: commandOf(script, context) };
}

export function timedCommandOf(word: string, timeoutSec: number, context: PlanContext): TimedCommandPlan | undefined {
  const command = commandOf(lastOf(context.global, word), context);
  return command === undefined ? undefined : { command, timeoutMs: timeoutSec * 1000 };
}

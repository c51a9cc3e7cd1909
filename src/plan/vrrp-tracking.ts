/** What is tracked: scripts, files, processes and BFD sessions with their own blocks, and the track_… lists that name them. */

import {
  booleanOf,
  type Entry,
  entriesOf,
  has,
  lastOf,
  linesOf,
  nameOf,
  numberOf,
  textOf,
} from '../config/keepalived/config.ts';
import type { Word } from '../config/keepalived/placed-text.ts';
import { parseInteger } from '../config/keepalived/values.ts';
import { parseIp } from '../core/address.ts';
import type { BfdSessionPlan, TrackedFilePlan, TrackedProcessPlan, TrackedScriptPlan, TrackReference } from './vrrp.ts';
import { expectInterface, isInterfaceName } from './vrrp-addresses.ts';
import { scriptOf } from './vrrp-commands.ts';
import type { PlanContext } from './vrrp-context.ts';
import { milliseconds } from './vrrp-global.ts';

export interface Tracked {
  readonly scripts: readonly TrackedScriptPlan[];
  readonly files: readonly TrackedFilePlan[];
  readonly processes: readonly TrackedProcessPlan[];
  readonly bfdSessions: readonly BfdSessionPlan[];
}

export interface TrackReferences {
  readonly trackScripts: readonly TrackReference[];
  readonly trackInterfaces: readonly TrackReference[];
  readonly trackFiles: readonly TrackReference[];
  readonly trackProcesses: readonly TrackReference[];
  readonly trackBfd: readonly TrackReference[];
}

export function buildTracked(context: PlanContext): Tracked {
  return {
    scripts: named('vrrp_script', context).flatMap((entry) => buildScript(entry, context)),
    files: named('track_file', context).flatMap((entry) => buildFile(entry, context)),
    processes: named('vrrp_track_process', context).flatMap((entry) => buildProcess(entry, context)),
    bfdSessions: named('bfd_instance', context).flatMap((entry) => buildBfd(entry, context)),
  };
}

/** The blocks of this word, of each name the first: Keepalived ignores the others with a message. */
export function named(word: string, context: PlanContext): Entry[] {
  const seen = new Set<string>();
  return entriesOf(context.entries, word).filter((entry) => {
    const name = nameOf(entry);
    if (!seen.has(name)) return seen.add(name);
    context.warn('duplicate', entry.place, `${word} '${name}' is already defined: this one is left out`);
    return false;
  });
}

function buildScript(entry: Entry, context: PlanContext): TrackedScriptPlan[] {
  const { entries } = entry;
  const script = lastOf(entries, 'script');
  if (script === undefined) {
    context.warn('incomplete', entry.place, `vrrp_script '${nameOf(entry)}' has no script: it is left out`);
    return [];
  }
  const command = scriptOf(script, lastOf(entries, 'user'), context);
  if (command === undefined) return [];
  const intervalMs = milliseconds(numberOf(entries, 'interval') ?? 1);
  const timeout = numberOf(entries, 'timeout');
  return [
    {
      name: nameOf(entry),
      command,
      intervalMs,
      timeoutMs: timeout === undefined ? intervalMs : milliseconds(timeout),
      ...weightOf(entries, 0),
      rise: numberOf(entries, 'rise') ?? 1,
      fall: numberOf(entries, 'fall') ?? 1,
      initFail: has(entries, 'init_fail'),
    },
  ];
}

function buildFile(entry: Entry, context: PlanContext): TrackedFilePlan[] {
  const { entries } = entry;
  const path = textOf(entries, 'file');
  if (path === undefined) {
    context.warn('incomplete', entry.place, `track_file '${nameOf(entry)}' has no file: it is left out`);
    return [];
  }
  const initial = lastOf(entries, 'init_file');
  const overwrite = initial?.arguments.some((word) => word.text === 'overwrite') ?? false;
  const valueWord = initial?.arguments.find((word) => word.text !== 'overwrite');
  const value = valueWord === undefined ? 0 : parseInteger(valueWord.text);
  if (value === undefined)
    context.warn(
      'bad-value',
      valueWord!.place,
      `'${valueWord!.text}' is neither a whole number nor overwrite: 0 is used`,
    );
  return [
    {
      name: nameOf(entry),
      path,
      ...weightOf(entries, 1),
      initial: initial === undefined ? undefined : { value: value ?? 0, overwrite },
    },
  ];
}

function buildProcess(entry: Entry, context: PlanContext): TrackedProcessPlan[] {
  const { entries } = entry;
  const [program, ...parameters] = lastOf(entries, 'process')?.arguments ?? [];
  if (program === undefined) {
    context.warn('incomplete', entry.place, `vrrp_track_process '${nameOf(entry)}' has no process: it is left out`);
    return [];
  }
  const match = lastOf(entries, 'param_match');
  const quorumMax = numberOf(entries, 'quorum_max');
  // quorum_max 0 asks that no such process runs: then none is needed either.
  const quorum = quorumMax === 0 ? 0 : (numberOf(entries, 'quorum') ?? 1);
  if (quorumMax !== undefined && quorumMax > 0 && quorumMax < quorum)
    context.warn('conflict', lastOf(entries, 'quorum_max')!.place, 'quorum_max is less than quorum: it is ignored');
  const delay = numberOf(entries, 'delay') ?? 0;
  return [
    {
      name: nameOf(entry),
      process: program.text,
      parameters:
        parameters.length === 0 && match === undefined ? undefined : parameters.map((word) => word.text).join(' '),
      paramMatch: match?.value === 'initial' || match?.value === 'partial' ? match.value : 'exact',
      ...weightOf(entries, 0),
      quorum,
      quorumMax: quorumMax !== undefined && quorumMax >= quorum ? quorumMax : undefined,
      forkDelayMs: milliseconds(numberOf(entries, 'fork_delay') ?? delay),
      terminateDelayMs: milliseconds(numberOf(entries, 'terminate_delay') ?? delay),
      fullCommand: has(entries, 'full_command') || parameters.length > 0 || match !== undefined,
    },
  ];
}

function buildBfd(entry: Entry, context: PlanContext): BfdSessionPlan[] {
  const { entries } = entry;
  const neighbour = readAddressWord(lastOf(entries, 'neighbor_ip'), context);
  if (neighbour === undefined) {
    context.warn('incomplete', entry.place, `bfd_instance '${nameOf(entry)}' has no good neighbor_ip: it is left out`);
    return [];
  }
  const source = readAddressWord(lastOf(entries, 'source_ip'), context);
  if (source !== undefined && source.family !== neighbour.family) {
    const place = lastOf(entries, 'source_ip')!.place;
    context.warn('conflict', place, 'source_ip is not of the family of neighbor_ip: the bfd_instance is left out');
    return [];
  }
  return [
    {
      name: nameOf(entry),
      neighbor: neighbour.host,
      source: source?.host,
      minRxMs: numberOf(entries, 'min_rx') ?? 10,
      minTxMs: numberOf(entries, 'min_tx') ?? 10,
      idleTxMs: numberOf(entries, 'idle_tx') ?? 1000,
      multiplier: numberOf(entries, 'multiplier') ?? 5,
      passive: has(entries, 'passive'),
      ttl: neighbour.family === 'ipv4' ? (numberOf(entries, 'ttl') ?? 255) : (numberOf(entries, 'hoplimit') ?? 64),
      maxHops: numberOf(entries, 'max_hops') ?? 0,
      ...(booleanOf(entries, 'multihop') === true ? { multihop: true } : {}),
      ...weightOf(entries, 0),
    },
  ];
}

/** The address that an entry names, or undefined, with a warning where it is none. */
export function readAddressWord(entry: Entry | undefined, context: PlanContext): ReturnType<typeof parseIp> {
  const word = entry?.arguments[0];
  if (entry === undefined || word === undefined) return undefined;
  const ip = parseIp(word.text);
  if (ip === undefined)
    context.warn('bad-value', word.place, `'${word.text}' is not an IP address: '${entry.keyword.word}' is ignored`);
  return ip;
}

function weightOf(entries: readonly Entry[], fallback: number): { weight: number; reverse: boolean } {
  const entry = lastOf(entries, 'weight');
  return {
    weight: typeof entry?.value === 'number' ? entry.value : fallback,
    reverse: entry?.arguments[1]?.text === 'reverse',
  };
}

interface Target {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

export function buildReferences(entries: readonly Entry[], tracked: Tracked, context: PlanContext): TrackReferences {
  const list = (word: string, targets: readonly Target[], max: number) =>
    firstLines(entries, word, context).flatMap((line) => readReference(line, word, targets, max, context));
  return {
    trackScripts: list('track_script', tracked.scripts, 253),
    trackInterfaces: firstLines(entries, 'track_interface', context).flatMap((line) =>
      readInterfaceReference(line, context),
    ),
    trackFiles: list('track_file', tracked.files, 254),
    trackProcesses: list('track_process', tracked.processes, 254),
    trackBfd: list('track_bfd', tracked.bfdSessions, 253),
  };
}

/** The lines of all lists of this word; of each name the first. */
function firstLines(entries: readonly Entry[], word: string, context: PlanContext): (readonly Word[])[] {
  const seen = new Set<string>();
  return linesOf(entries, word).filter((line) => {
    const name = line[0]!;
    if (!seen.has(name.text)) return seen.add(name.text);
    context.warn('duplicate', name.place, `${word}: '${name.text}' is tracked twice: the first line holds`);
    return false;
  });
}

function readReference(
  line: readonly Word[],
  word: string,
  targets: readonly Target[],
  max: number,
  context: PlanContext,
): TrackReference[] {
  const [name, ...options] = line;
  const target = targets.findIndex((each) => each.name === name!.text);
  if (target === -1) {
    const kind =
      word === 'track_process'
        ? 'vrrp_track_process'
        : word === 'track_bfd'
          ? 'bfd_instance'
          : word === 'track_script'
            ? 'vrrp_script'
            : 'track_file';
    context.warn('missing-reference', name!.place, `there is no ${kind} '${name!.text}': it is not tracked`);
    return [];
  }
  const { weight, reverse } = targets[target]!;
  return [
    { target, name: name!.text, ...readOptions(options, { weight, reverse }, max, context, word === 'track_script') },
  ];
}

function readInterfaceReference(line: readonly Word[], context: PlanContext): TrackReference[] {
  const [name, ...options] = line;
  if (!isInterfaceName(name!.text)) {
    context.warn('bad-value', name!.place, `'${name!.text}' is no interface name: it is not tracked`);
    return [];
  }
  expectInterface(name!, context);
  return [{ target: -1, name: name!.text, ...readOptions(options, { weight: 0, reverse: false }, 253, context, true) }];
}

/** `[weight N] [reverse|noreverse]`. */
function readOptions(
  options: readonly Word[],
  fallback: { readonly weight: number; readonly reverse: boolean },
  max: number,
  context: PlanContext,
  nearest = false,
): { weight: number; reverse: boolean } {
  let { weight, reverse } = fallback;
  for (let index = 0; index < options.length; index++) {
    const option = options[index]!;
    if (option.text === 'weight') {
      const value = options[++index];
      const number = value === undefined ? undefined : parseInteger(value.text);
      if (number !== undefined && Math.abs(number) <= max) weight = number;
      else if (nearest && number !== undefined && Math.abs(number) === max + 1) {
        // 2.2.7 takes this one as the end of the range, and ignores those beyond.
        weight = Math.sign(number) * max;
        context.warn('bad-value', value!.place, `weight goes from -${max} to ${max}: ${weight} is used for ${number}`);
      } else
        context.warn(
          value === undefined ? 'missing-argument' : 'bad-value',
          (value ?? option).place,
          `weight needs a whole number from -${max} to ${max}: ${weight} is used`,
        );
    } else if (option.text === 'reverse') reverse = true;
    else if (option.text === 'noreverse' || option.text === 'no_reverse') reverse = false;
    else
      context.warn(
        'unknown-word',
        option.place,
        `'${option.text}' is neither weight, reverse nor noreverse: it is left out`,
      );
  }
  return { weight, reverse };
}

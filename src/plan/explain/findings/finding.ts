/** What a finding is, and how the families make one. */

import type { Diagnostic, Place, Severity } from '../../../config/diagnostic.ts';
import { type Entry, lastOf } from '../../../config/keepalived/config.ts';
import type { Cluster, Member } from '../cluster.ts';
import type { Surroundings } from '../combinations.ts';
import { catalogue, type FindingKind, type FindingName } from './catalogue.ts';

/** A diagnostic with the consequence: `message` says what, `reason` what comes of it, `hint` what to write instead. */
export interface Finding extends Diagnostic {
  readonly finding: FindingName;
  readonly reason: string;
  /** Where the same stands in other files. */
  readonly also?: readonly Place[];
}

/** What a family of findings is given: all virtual routers in normal operation. */
export interface FindingContext {
  readonly cluster: Cluster;
  readonly views: readonly Surroundings[];
}

export function finding(
  name: FindingName,
  place: Place,
  message: string,
  changes: { readonly reason?: string; readonly hint?: string; readonly severity?: Severity } = {},
): Finding {
  const kind: FindingKind = catalogue[name];
  return {
    finding: name,
    severity: changes.severity ?? kind.severity,
    code: kind.severity === 'alert' ? 'conflict' : 'risky',
    place,
    message,
    reason: changes.reason ?? kind.reason,
    hint: changes.hint ?? kind.remedy,
  };
}

/** The last of these words in the instance, else the instance itself. */
export function placeIn({ entry }: Pick<Member, 'entry'>, ...words: readonly string[]): Place {
  return placeInBlock(entry, words);
}

export function placeInBlock(block: Entry, words: readonly string[]): Place {
  for (const word of words) {
    const found = lastOf(block.entries, word);
    if (found !== undefined) return found.place;
  }
  return block.place;
}

/** `lb1` or `lb1 and lb2`. */
export function list(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
